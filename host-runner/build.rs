//! Builds the bundled connector and embeds it: plain `cargo run` and `cargo test` need no step before them.

#[path = "build/guest.rs"]
mod guest;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

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
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={PREBUILT}");
    if let Ok(component) = env::var(PREBUILT) {
        println!("cargo:rerun-if-changed={component}");
        let bytes = fs::read(&component).map_err(|error| format!("{component}: {error}"))?;
        return write(&out.join("connector.wasm"), &bytes);
    }
    let workspace = Path::new(&variable("CARGO_MANIFEST_DIR")?)
        .parent()
        .ok_or("the runner's folder has no parent")?
        .to_path_buf();
    let built = guest::build(
        &guest::bundled(&variable("CARGO_PKG_VERSION")?),
        &workspace,
        &guest::target_dir(&out),
        &variable("CARGO")?,
        &variable("RUSTC")?,
    )?;
    write(&out.join("connector.wasm"), &built.component)?;
    for source in built.sources {
        println!("cargo:rerun-if-changed={}", source.display());
    }
    println!(
        "cargo:rerun-if-changed={}",
        workspace.join("plugin/Cargo.toml").display()
    );
    Ok(())
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set: this is for cargo to run"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}
