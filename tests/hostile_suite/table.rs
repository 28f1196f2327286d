//! SECURITY.md's tables are kept by this: a row that names a test names one that is there, and no limit is missing.

use host_runner::engine::Limits;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The cells of all rows of tables.
fn rows() -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(root().join("SECURITY.md")).unwrap();
    text.lines()
        .map(str::trim)
        .filter(|line| line.starts_with('|') && !line.starts_with("|-"))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_is_named_is_there() {
    let mut named = 0;
    for row in rows() {
        for cell in &row {
            for (path, function) in quoted(cell).filter_map(|name| name.split_once(".rs::")) {
                named += 1;
                let path = format!("{path}.rs");
                let source = std::fs::read_to_string(root().join(&path))
                    .unwrap_or_else(|error| panic!("{path}: {error}"));
                assert!(
                    source.contains(&format!("fn {function}(")),
                    "{path} has no test `{function}`"
                );
            }
        }
    }
    assert!(named > 20, "only {named} tests are named");
}

#[test]
fn every_folder_or_file_that_is_named_is_there() {
    for row in rows() {
        for name in row.iter().flat_map(|cell| quoted(cell)) {
            let path = name.split("::").next().unwrap_or_default();
            let is_path = ["host-runner/", "plugin/", "tests/", "wit/", ".ci/"]
                .iter()
                .any(|folder| path.starts_with(folder));
            assert!(!is_path || root().join(path).exists(), "{path}");
        }
    }
}

#[test]
fn every_limit_stands_with_its_default_and_its_flag() {
    let rows = rows();
    for limit in Limits::ALL {
        let flag = format!("`--limit-{}`", limit.name);
        // Thousands are set apart, as people read them.
        let default = limit.default.to_string();
        let is_there = rows.iter().any(|row| {
            let row = row.join(" | ");
            row.contains(&flag)
                && row
                    .replace(',', "")
                    .contains(&format!("{default} {}", limit.unit))
        });
        assert!(
            is_there,
            "{flag} with its default, {default} {}",
            limit.unit
        );
    }
}
