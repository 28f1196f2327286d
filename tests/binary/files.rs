//! What stands in a data directory, byte by byte.

use std::path::{Path, PathBuf};

/// All files of a folder and below it, but for compiled components.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if !entry.file_type().unwrap().is_symlink() {
                files.push(path);
            }
        }
    }
    files
}

/// Whether some bytes stand in others.
pub fn holds(bytes: &[u8], part: &str) -> bool {
    bytes
        .windows(part.len())
        .any(|found| found == part.as_bytes())
}

/// The files that hold one of these texts, and which.
pub fn that_hold(folder: &Path, texts: &[String]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for path in files(folder) {
        let bytes = std::fs::read(&path).unwrap();
        for text in texts {
            if holds(&bytes, text) {
                found.push((path.clone(), text.clone()));
            }
        }
    }
    found
}
