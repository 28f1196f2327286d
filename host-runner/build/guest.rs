//! Builds a connector for the component model: shared by path between the build scripts of the runner (the bundled connector) and of the tests
//! (hostile ones), so that all are made alike, in one target folder.
//!
//! A connector is compiled for `wasm32-unknown-unknown` by a nested cargo (with its own target folder and the workspace's lock file), made a component by
//! wit-component, and given its registry metadata. Nothing of this machine goes in: paths are remapped, so that the same sources give
//! the same bytes in any folder.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TARGET: &str = "wasm32-unknown-unknown";
const PROFILE: &str = "guest";
const SOURCE: &str = "https://github.com/connector-platform/cortex-xdr";

/// How eagerly the compiler copies functions into their callers. Its own measure (275 at opt-level 3) makes the component a tenth larger, beyond
/// the 1 MiB that it may have; `tests/fuel` records what a transform costs with this one.
const INLINING: &str = "-Cllvm-args=-inline-threshold=60";

/// A crate of the workspace to make a component of.
pub struct Guest<'a> {
    /// The package, also the component's name in its metadata.
    pub package: &'a str,
    /// The library's name: that of the module that cargo makes.
    pub module: &'a str,
    /// For the metadata.
    pub version: &'a str,
    /// For the metadata.
    pub description: &'a str,
}

/// The connector that the runner is built with.
#[allow(
    dead_code,
    reason = "a build script of hostile connectors has no use for it"
)]
pub fn bundled(version: &str) -> Guest<'_> {
    Guest {
        package: "cortex-xdr",
        module: "cortex_xdr",
        version,
        description: "Palo Alto Networks Cortex XDR connector: endpoints, alerts and vulnerabilities",
    }
}

/// A component, and what it was made from.
pub struct Built {
    /// Its bytes.
    pub component: Vec<u8>,
    /// The files that it depends on, whole paths.
    pub sources: Vec<PathBuf>,
}

/// Compiles a guest of the workspace at `workspace` with whatever lies in `target_dir`, and makes it a component.
///
/// `cargo` and `rustc` are the programs' names. The error is for a person.
pub fn build(
    guest: &Guest<'_>,
    workspace: &Path,
    target_dir: &Path,
    cargo: &str,
    rustc: &str,
) -> Result<Built, String> {
    ensure_target(rustc)?;
    compile(guest, workspace, target_dir, cargo)?;
    let built = target_dir.join(TARGET).join(PROFILE);
    let module = read(&built.join(format!("{}.wasm", guest.module)))?;
    Ok(Built {
        component: componentise(guest, &module)?,
        sources: sources(&built.join(format!("{}.d", guest.module)), workspace)?,
    })
}

/// The nested cargo must not wait for the outer one's lock, and every profile of the runner can share what it builds.
pub fn target_dir(out: &Path) -> PathBuf {
    // OUT_DIR is <target>/<profile>/build/<package>-<hash>/out
    out.ancestors()
        .nth(4)
        .map_or_else(|| out.join("guest"), |target| target.join("guest"))
}

/// Adds the wasm target where the toolchain lacks it: rustup does not do so by itself where RUSTUP_AUTO_INSTALL is 0.
fn ensure_target(rustc: &str) -> Result<(), String> {
    let printed = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|error| format!("{rustc}: {error}"))?;
    let library = PathBuf::from(String::from_utf8_lossy(&printed.stdout).trim());
    if printed.status.success() && library.is_dir() {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    if let Ok(toolchain) = env::var("RUSTUP_TOOLCHAIN") {
        rustup.args(["--toolchain", &toolchain]);
    }
    let added = rustup.status().map_err(|error| {
        format!("the target {TARGET} is missing and rustup can't be run ({error}): install that target and build again")
    })?;
    if added.success() {
        Ok(())
    } else {
        Err(format!(
            "`rustup target add {TARGET}` failed: run it yourself and build again"
        ))
    }
}

fn compile(
    guest: &Guest<'_>,
    workspace: &Path,
    target_dir: &Path,
    cargo: &str,
) -> Result<(), String> {
    let mut cargo = Command::new(cargo);
    cargo
        .current_dir(workspace)
        .args(["build", "--locked", "--package", guest.package, "--lib"])
        .args(["--profile", PROFILE, "--target", TARGET])
        .arg("--target-dir")
        .arg(target_dir);
    // What was meant for the runner is not meant for the component.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let foreign = text.starts_with("CARGO_PROFILE_")
            || text.starts_with("CARGO_FEATURE_")
            || text.starts_with("CARGO_CFG_")
            || matches!(
                &*text,
                "CARGO_ENCODED_RUSTFLAGS"
                    | "RUSTFLAGS"
                    | "RUSTC_WRAPPER"
                    | "RUSTC_WORKSPACE_WRAPPER"
                    | "CARGO_BUILD_TARGET"
                    | "CARGO_TARGET_DIR"
                    | "CARGO_INCREMENTAL"
                    | "CARGO_BUILD_INCREMENTAL"
                    | "CARGO_BUILD_RUSTC_WRAPPER"
                    | "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER"
                    | "RUSTC_BOOTSTRAP"
                    | "CARGO_BUILD_TARGET_DIR"
                    | "CARGO_BUILD_RUSTFLAGS"
                    | "TARGET"
                    | "OUT_DIR"
            );
        if foreign {
            cargo.env_remove(name);
        }
    }
    let mut flags = remapped(workspace);
    flags.push("\u{1f}");
    flags.push(INLINING);
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags);
    let status = cargo.status().map_err(|error| format!("cargo: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!(
            "cargo ended with {status}; its own messages stand above"
        ))
    }
}

/// Panic messages and the like name source files: as seen from the workspace, not from this machine.
fn remapped(workspace: &Path) -> OsString {
    let mut flags = OsString::from("--remap-path-prefix=");
    flags.push(workspace);
    flags.push("=/connector");
    let home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    if let Some(home) = home {
        let mut remap = |from: &Path, to: &str| {
            flags.push("\u{1f}--remap-path-prefix=");
            flags.push(from);
            flags.push(to);
        };
        remap(&home, "=/cargo");
        // A registry's folder is named after where it was downloaded from; the last rule that fits counts.
        for registry in fs::read_dir(home.join("registry/src"))
            .into_iter()
            .flatten()
            .flatten()
        {
            remap(&registry.path(), "=/crates");
        }
    }
    flags
}

fn componentise(guest: &Guest<'_>, module: &[u8]) -> Result<Vec<u8>, String> {
    let component = wit_component::ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.encode())
        .map_err(|error| format!("not a component of the contract: {error:#}"))?;

    let mut metadata = wasm_metadata::AddMetadata::default();
    metadata.name = wasm_metadata::AddMetadataField::Set(guest.package.to_owned());
    metadata.version =
        wasm_metadata::AddMetadataField::Set(wasm_metadata::Version::new(guest.version.to_owned()));
    metadata.description = wasm_metadata::AddMetadataField::Set(wasm_metadata::Description::new(
        guest.description.to_owned(),
    ));
    metadata.licenses = wasm_metadata::AddMetadataField::Set(
        wasm_metadata::Licenses::new("Apache-2.0").map_err(|error| format!("licence: {error}"))?,
    );
    metadata.source = wasm_metadata::AddMetadataField::Set(
        wasm_metadata::Source::new(SOURCE).map_err(|error| format!("source: {error}"))?,
    );
    metadata
        .to_wasm(&component)
        .map_err(|error| format!("metadata: {error:#}"))
}

/// cargo's dep-info knows which files the connector was made from.
fn sources(dep_info: &Path, workspace: &Path) -> Result<Vec<PathBuf>, String> {
    let text = String::from_utf8(read(dep_info)?).map_err(|error| error.to_string())?;
    let files = text.split_once(": ").map_or("", |(_, files)| files);
    // Spaces inside a path are escaped with a backslash.
    let mut sources: Vec<PathBuf> = files
        .replace("\\ ", "\u{1f}")
        .split_whitespace()
        .map(|file| PathBuf::from(file.replace('\u{1f}', " ")))
        .collect();
    for file in [
        "Cargo.lock",
        "Cargo.toml",
        "wit/platform.wit",
        "host-runner/build/guest.rs",
    ] {
        sources.push(workspace.join(file));
    }
    Ok(sources)
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}
