//! The JSON files that come with the connector: maps and schemas, packed by the build script and unpacked when the first of them is asked for.

use flate2::{Decompress, FlushDecompress};
use std::sync::OnceLock;

/// What the build script made: each file's name and its JSON, a line for each, deflated.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bundle"));

/// At most how many times as large the files are as the bundle: they are unpacked at once.
const EXPANDS: usize = 8;

/// A file by its path from the connector's folder, as compact JSON in the order in which it is written. One that is not in the bundle is empty: a test
/// asks for each of them.
pub(crate) fn file(path: &str) -> &'static str {
    static FILES: OnceLock<String> = OnceLock::new();
    let mut lines = FILES.get_or_init(unpacked).split('\n');
    while let Some(name) = lines.next() {
        let json = lines.next().unwrap_or_default();
        if name == path {
            return json;
        }
    }
    ""
}

fn unpacked() -> String {
    let mut files = Vec::with_capacity(PACKED.len() * EXPANDS);
    // What is wrong with the bundle shows in what is missing.
    let _ = Decompress::new(false).decompress_vec(PACKED, &mut files, FlushDecompress::Finish);
    String::from_utf8(files).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use std::path::Path;

    #[test]
    fn each_file_is_there_and_says_the_same_as_it_does_in_the_tree() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = 0;
        for folder in ["maps", "src/describe", "src/describe/schemas"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                if !name.ends_with(".json") || name == "map.schema.json" {
                    continue;
                }
                let path = format!("{folder}/{name}");
                let written = std::fs::read_to_string(root.join(&path)).unwrap();
                let written: Value = serde_json::from_str(&written).unwrap();
                let packed = file(&path);
                assert_eq!(serde_json::from_str::<Value>(packed).unwrap(), written);
                // Without white space, and with all keys where they were.
                assert_eq!(packed.len(), written.to_string().len(), "{path}");
                found += 1;
            }
        }
        assert!(found >= 11, "{found}");
        assert_eq!(file("maps/none.json"), "");
    }

    #[test]
    fn white_space_in_a_text_stays() {
        assert!(file("maps/safe.json").contains("Endpoints as assets, their CVEs as findings."));
    }
}
