//! Packs the JSON files that come with the connector: in the component each byte counts, and as they are written they would be a twentieth of it.
//!
//! The bundle is each file's name and its JSON without white space, a line for each, deflated. `src/bundle.rs` unpacks it.

use flate2::Compression;
use flate2::write::DeflateEncoder;
use std::io::{Error, Write};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The folders that the files lie in.
const FOLDERS: [&str; 3] = ["maps", "src/describe", "src/describe/schemas"];
/// The format of maps is for editors: nothing here reads it.
const LEFT_OUT: &str = "maps/map.schema.json";

fn main() -> Result<(), Error> {
    println!("cargo:rerun-if-changed=build.rs");
    let mut bundle = DeflateEncoder::new(Vec::new(), Compression::best());
    for folder in FOLDERS {
        println!("cargo:rerun-if-changed={folder}");
        for file in json_files(folder)? {
            println!("cargo:rerun-if-changed={file}");
            let json = fs::read_to_string(&file)?;
            writeln!(bundle, "{file}\n{}", compact(&json))?;
        }
    }
    let out = env::var_os("OUT_DIR").map(PathBuf::from);
    let out = out.ok_or_else(|| Error::other("OUT_DIR is not set: this is for cargo to run"))?;
    fs::write(out.join("bundle"), bundle.finish()?)
}

/// The JSON files of a folder, by name: the same bundle on any machine.
fn json_files(folder: &str) -> Result<Vec<String>, Error> {
    let mut files = Vec::new();
    for entry in fs::read_dir(Path::new(folder))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let file = format!("{folder}/{name}");
        if name.ends_with(".json") && file != LEFT_OUT {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// JSON without white space between its tokens, in the order in which it is written.
fn compact(json: &str) -> String {
    let mut compact = String::with_capacity(json.len());
    let mut in_text = false;
    let mut escaped = false;
    for c in json.chars() {
        if in_text || !matches!(c, ' ' | '\n' | '\r' | '\t') {
            compact.push(c);
        }
        if c == '"' && !escaped {
            in_text = !in_text;
        }
        escaped = in_text && c == '\\' && !escaped;
    }
    compact
}
