//! Builds the bundled connector and embeds it: plain `cargo run` and `cargo test` need no step before them.
//!
//! The connector is compiled for `wasm32-unknown-unknown` by a nested cargo (with its own target folder and the workspace's
//! lock file), made a component by wit-component, and given its registry metadata. Nothing of this machine goes in: paths are
//! remapped, so that the same sources give the same bytes in any folder.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const TARGET: &str = "wasm32-unknown-unknown";
const PACKAGE: &str = "cortex-xdr";
const MODULE: &str = "cortex_xdr";
const PROFILE: &str = "guest";
const SOURCE: &str = "https://github.com/connector-platform/cortex-xdr";

/// How eagerly the compiler copies functions into their callers. Its own measure (275 at opt-level 3) makes the component a tenth larger, beyond
/// the 1 MiB that it may have; `tests/fuel` records what a transform costs with this one.
const INLINING: &str = "-Cllvm-args=-inline-threshold=60";

/// Names a component to embed instead of building the bundled one: for packagers without the wasm target.
const PREBUILT: &str = "HOST_RUNNER_BUNDLED_COMPONENT";

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("the bundled connector could not be built: {message}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    println!("cargo:rerun-if-env-changed={PREBUILT}");
    if let Ok(component) = env::var(PREBUILT) {
        println!("cargo:rerun-if-changed={component}");
        return write(&out.join("connector.wasm"), &read(Path::new(&component))?);
    }
    let workspace = Path::new(&variable("CARGO_MANIFEST_DIR")?)
        .parent()
        .ok_or("the runner's folder has no parent")?
        .to_path_buf();
    ensure_target()?;

    let target_dir = guest_target_dir(&out);
    compile(&workspace, &target_dir)?;
    let built = target_dir.join(TARGET).join(PROFILE);
    let module = read(&built.join(format!("{MODULE}.wasm")))?;
    let component = componentise(&module)?;
    write(&out.join("connector.wasm"), &component)?;

    rerun_when_changed(&built.join(format!("{MODULE}.d")), &workspace)
}

/// The nested cargo must not wait for the outer one's lock, and every profile of the runner can share what it builds.
fn guest_target_dir(out: &Path) -> PathBuf {
    // OUT_DIR is <target>/<profile>/build/<package>-<hash>/out
    out.ancestors()
        .nth(4)
        .map_or_else(|| out.join("guest"), |target| target.join("guest"))
}

/// Adds the wasm target where the toolchain lacks it: rustup does not do so by itself where RUSTUP_AUTO_INSTALL is 0.
fn ensure_target() -> Result<(), String> {
    let rustc = variable("RUSTC")?;
    let printed = Command::new(&rustc)
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

fn compile(workspace: &Path, target_dir: &Path) -> Result<(), String> {
    let mut cargo = Command::new(variable("CARGO")?);
    cargo
        .current_dir(workspace)
        .args(["build", "--locked", "--package", PACKAGE, "--lib"])
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
        flags.push("\u{1f}--remap-path-prefix=");
        flags.push(home);
        flags.push("=/cargo");
    }
    flags
}

fn componentise(module: &[u8]) -> Result<Vec<u8>, String> {
    let component = wit_component::ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.encode())
        .map_err(|error| format!("not a component of the contract: {error:#}"))?;

    let mut metadata = wasm_metadata::AddMetadata::default();
    metadata.name = wasm_metadata::AddMetadataField::Set(PACKAGE.to_owned());
    metadata.version = wasm_metadata::AddMetadataField::Set(wasm_metadata::Version::new(variable(
        "CARGO_PKG_VERSION",
    )?));
    metadata.description = wasm_metadata::AddMetadataField::Set(wasm_metadata::Description::new(
        "Palo Alto Networks Cortex XDR connector: endpoints, alerts and vulnerabilities".to_owned(),
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
fn rerun_when_changed(dep_info: &Path, workspace: &Path) -> Result<(), String> {
    let text = String::from_utf8(read(dep_info)?).map_err(|error| error.to_string())?;
    let files = text.split_once(": ").map_or("", |(_, files)| files);
    // Spaces inside a path are escaped with a backslash.
    for file in files.replace("\\ ", "\u{1f}").split_whitespace() {
        println!("cargo:rerun-if-changed={}", file.replace('\u{1f}', " "));
    }
    for file in [
        "Cargo.lock",
        "Cargo.toml",
        "plugin/Cargo.toml",
        "wit/platform.wit",
        "host-runner/build.rs",
    ] {
        println!("cargo:rerun-if-changed={}", workspace.join(file).display());
    }
    Ok(())
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set: this is for cargo to run"))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}
