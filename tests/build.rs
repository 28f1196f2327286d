//! Builds the hostile connector, with which the suite `hostile` attacks the runner.

#[path = "../host-runner/build/guest.rs"]
mod guest;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    match build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("the hostile connector could not be built: {message}");
            ExitCode::FAILURE
        }
    }
}

fn build() -> Result<(), String> {
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(variable("OUT_DIR")?);
    let workspace = Path::new(&variable("CARGO_MANIFEST_DIR")?)
        .parent()
        .ok_or("the tests' folder has no parent")?
        .to_path_buf();
    let built = guest::build(
        &guest::Guest {
            package: "hostile-connector",
            module: "hostile_connector",
            version: &variable("CARGO_PKG_VERSION")?,
            description: "Attacks its host, for tests",
        },
        &workspace,
        &guest::target_dir(&out),
        &variable("CARGO")?,
        &variable("RUSTC")?,
    )?;
    let file = out.join("hostile.wasm");
    fs::write(&file, built.component).map_err(|error| format!("{}: {error}", file.display()))?;
    for source in built.sources {
        println!("cargo:rerun-if-changed={}", source.display());
    }
    println!(
        "cargo:rerun-if-changed={}",
        workspace.join("tests/hostile/Cargo.toml").display()
    );
    Ok(())
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|_| format!("{name} is not set: this is for cargo to run"))
}
