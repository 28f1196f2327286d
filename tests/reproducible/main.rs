//! The bundled connector is reproducible: built from the same sources in another folder, by a user with another home, under another locale, it is the
//! same file. Whoever doubts a component that they were given can build it and compare.
//!
//! This program is its own helper: it builds in a process of its own, whose environment is another one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test: a panic is a failed test"
)]

#[path = "../../host-runner/build/guest.rs"]
#[allow(
    dead_code,
    reason = "shared with build scripts, which know of target folders"
)]
mod guest;

use host_runner::component::Source;
use host_runner::domain::sha256_hex;
use host_runner::engine::Limits;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the helper is called with.
const BUILD: &str = "--build";

/// Where the runner was built around a component that was built before, that one need not be of these sources.
const PREBUILT: &str = "HOST_RUNNER_BUNDLED_COMPONENT";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [word, workspace, target, output] if word == BUILD => {
            build(Path::new(workspace), Path::new(target), Path::new(output));
        }
        // As the usual harness does with names: others' tests are meant.
        [name, ..] if !name.starts_with('-') && !"reproducible".contains(name.as_str()) => {}
        [flag, ..] if flag == "--list" => println!("reproducible: test"),
        _ => compare(),
    }
}

fn build(workspace: &Path, target: &Path, output: &Path) {
    let built = guest::build(
        &guest::bundled(env!("CARGO_PKG_VERSION")),
        workspace,
        target,
        &program("CARGO", "cargo"),
        &program("RUSTC", "rustc"),
    )
    .unwrap_or_else(|error| panic!("{error}"));
    assert!(
        built
            .sources
            .iter()
            .any(|source| source.starts_with(workspace))
    );
    std::fs::write(output, built.component).unwrap();
}

fn program(variable: &str, default: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| default.to_owned())
}

fn compare() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = built_in(&folder.path().join("another folder/deeper"), sources);
    let here = if std::env::var_os(PREBUILT).is_some() {
        println!("{PREBUILT} is set: built in two other folders instead of one");
        built_in(&folder.path().join("x"), sources)
    } else {
        Source::Bundled
            .read(&Limits::default())
            .unwrap()
            .bytes
            .into_owned()
    };
    let (here, elsewhere) = (Build::of(here), Build::of(elsewhere));
    println!(
        "the bundled connector: SHA-256 {}, {} bytes",
        here.sha256,
        here.bytes.len()
    );
    println!(
        "built elsewhere:       SHA-256 {}, {} bytes",
        elsewhere.sha256,
        elsewhere.bytes.len()
    );
    for (word, build) in [("here", &here), ("elsewhere", &elsewhere)] {
        for path in [sources, folder.path(), &home()] {
            let path = path.to_str().unwrap().as_bytes();
            let found = build.bytes.windows(path.len()).any(|window| window == path);
            assert!(
                !found,
                "the component that was built {word} names a folder of this machine"
            );
        }
    }
    if here.sha256 != elsewhere.sha256 {
        let at = here
            .bytes
            .iter()
            .zip(&elsewhere.bytes)
            .position(|(one, other)| one != other);
        panic!("the same sources gave two files; they differ first at byte {at:?}");
    }
}

struct Build {
    bytes: Vec<u8>,
    sha256: String,
}

impl Build {
    fn of(bytes: Vec<u8>) -> Self {
        Self {
            sha256: sha256_hex(&bytes),
            bytes,
        }
    }
}

/// Copies the sources to a folder and builds there, as another user would.
fn built_in(folder: &Path, sources: &Path) -> Vec<u8> {
    let workspace = folder.join("sources");
    copy(sources, &workspace);
    let output = folder.join("connector.wasm");
    let built = Command::new(std::env::current_exe().unwrap())
        .arg(BUILD)
        .args([&workspace, &folder.join("target"), &output])
        .env("CARGO_HOME", another_home(folder))
        .env("LC_ALL", "C")
        .env("TZ", "Asia/Tokyo")
        .env("SOURCE_DATE_EPOCH", "1")
        .env("CARGO_INCREMENTAL", "1")
        .env("CARGO_BUILD_JOBS", "1")
        .env("RUSTFLAGS", "-Cdebuginfo=2")
        .status()
        .unwrap();
    assert!(built.success(), "it can't be built in {}", folder.display());
    std::fs::read(output).unwrap()
}

/// What git knows, as it is now; where there is no git, what an archive of the sources holds.
fn copy(sources: &Path, to: &Path) {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(sources)
        .output();
    let files: Vec<PathBuf> = match listed {
        Ok(listed) if listed.status.success() => String::from_utf8(listed.stdout)
            .unwrap()
            .split_terminator('\0')
            .map(PathBuf::from)
            .collect(),
        _ => {
            let mut files = Vec::new();
            walk(sources, Path::new(""), &mut files);
            files
        }
    };
    for file in files.iter().filter(|file| sources.join(file).is_file()) {
        let target = to.join(file);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(sources.join(file), target).unwrap();
    }
}

fn walk(sources: &Path, folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(sources.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        let path = folder.join(&name);
        if !entry.file_type().unwrap().is_dir() {
            files.push(path);
        } else if name != "target" && !name.to_str().unwrap().starts_with('.') {
            walk(sources, &path, files);
        }
    }
}

fn home() -> PathBuf {
    std::env::var_os("CARGO_HOME").map_or_else(
        || Path::new(&std::env::var_os("HOME").unwrap()).join(".cargo"),
        PathBuf::from,
    )
}

/// A home of cargo's at another place. What was downloaded is taken from the one in use.
fn another_home(folder: &Path) -> PathBuf {
    let (here, there) = (home(), folder.join("home"));
    std::fs::create_dir_all(&there).unwrap();
    #[cfg(unix)]
    for name in ["registry", "config.toml", "config"] {
        if here.join(name).exists() {
            std::os::unix::fs::symlink(here.join(name), there.join(name)).unwrap();
        }
    }
    there
}
