//! Compiling a component that is not in the cache.
//!
//! Compiling foreign code costs memory and may cost minutes, so the runner does it in a child process of its own where it can:
//! the child has a deadline, and its memory goes back to the system with it.

use super::cache::Cache;
use super::error::EngineError;
use super::limits::{LimitReached, Limits};
use crate::component::{ComponentFile, LoadError};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use wasmtime::Engine;
use wasmtime::component::Component;

/// Where compiling happens.
#[derive(Debug, Clone, Default)]
pub enum Compiler {
    /// In this process: for tests and embedders.
    #[default]
    InProcess,
    /// In a child process: this executable, called as `<executable> compile-component <component> <output>`, with the
    /// runner's limits in `HOST_RUNNER_COMPILE_MEMORY_MIB` and the like so that both sides make the same engine.
    Child(PathBuf),
}

/// The hidden subcommand by which the runner calls itself.
pub const COMPILE_COMMAND: &str = "compile-component";

/// Compiles the component at `input` into `output` with an engine for these limits: what the child process does.
pub fn compile_file(input: &Path, output: &Path, limits: &Limits) -> Result<(), EngineError> {
    let engine = super::config::engine(limits, 1, None)?;
    let bytes = std::fs::read(input).map_err(|error| EngineError::Io {
        path: input.to_path_buf(),
        error,
    })?;
    let compiled = engine.precompile_component(&bytes)?;
    std::fs::write(output, compiled).map_err(|error| EngineError::Io {
        path: output.to_path_buf(),
        error,
    })
}

/// The compiled component, from the cache where it is there.
pub(crate) async fn obtain(
    engine: &Engine,
    cache: Option<&Cache>,
    compiler: &Compiler,
    file: &ComponentFile,
    limits: &Limits,
) -> Result<Component, LoadError> {
    let failed = |reason: String| LoadError::Compile {
        name: file.name.clone(),
        reason,
    };
    let path = cache.map(|cache| cache.path(&file.sha256, engine));
    if let Some(component) = path.as_deref().and_then(|path| read_cached(engine, path)) {
        return Ok(component);
    }
    let compiled = match compiler {
        Compiler::InProcess => in_process(engine, file, limits).await?,
        Compiler::Child(executable) => in_child(executable, file, limits).await?,
    };
    if let (Some(cache), Some(path)) = (cache, &path) {
        cache
            .store(path, &compiled)
            .map_err(|error| failed(format!("{}: {error}", path.display())))?;
    }
    #[expect(
        unsafe_code,
        reason = "the bytes were just made by the runner's own compiler"
    )]
    // SAFETY: they come from `in_process` or `in_child` and were in nobody else's hands.
    let component = unsafe { Component::deserialize(engine, &compiled) };
    component.map_err(|error| failed(format!("what was compiled does not load: {error:#}")))
}

/// On a thread for what takes long. One that takes too long can't be stopped there: it is left alone, and its result dropped.
async fn in_process(
    engine: &Engine,
    file: &ComponentFile,
    limits: &Limits,
) -> Result<Vec<u8>, LoadError> {
    let (own_engine, bytes) = (engine.clone(), file.bytes.clone());
    let compiling = tokio::task::spawn_blocking(move || own_engine.precompile_component(&bytes));
    let compiled = tokio::time::timeout(Duration::from_secs(limits.compile_s), compiling)
        .await
        .map_err(|_| too_long(file, limits))?
        .map_err(|error| LoadError::Compile {
            name: file.name.clone(),
            reason: error.to_string(),
        })?;
    compiled.map_err(|error| invalid(file, &error))
}

fn too_long(file: &ComponentFile, limits: &Limits) -> LoadError {
    LoadError::Limit {
        name: file.name.clone(),
        reached: LimitReached::of(limits, "compile"),
    }
}

/// A file that does not load (cut short by a full disk, say) is made again.
fn read_cached(engine: &Engine, path: &Path) -> Option<Component> {
    if !path.is_file() {
        return None;
    }
    #[expect(
        unsafe_code,
        reason = "the folder is the runner's own and closed to others: what is in it was compiled by the runner"
    )]
    // SAFETY: only `Cache::store` writes here, and only what this engine's compiler made.
    let component = unsafe { Component::deserialize_file(engine, path) };
    component.ok()
}

async fn in_child(
    executable: &Path,
    file: &ComponentFile,
    limits: &Limits,
) -> Result<Vec<u8>, LoadError> {
    let failed = |reason: String| LoadError::Compile {
        name: file.name.clone(),
        reason,
    };
    let folder = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
    let input = folder.path().join("component.wasm");
    let output = folder.path().join("component.cwasm");
    tokio::fs::write(&input, &file.bytes)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let child = tokio::process::Command::new(executable)
        .arg(COMPILE_COMMAND)
        .arg(&input)
        .arg(&output)
        .args(["--limit-memory", &limits.memory_mib.to_string()])
        .args(["--limit-table-elements", &limits.table_elements.to_string()])
        .args(["--limit-stack", &limits.stack_kib.to_string()])
        // The master key may be in the environment: a compiler of foreign code has no use for it.
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(format!("{}: {error}", executable.display())))?;
    let ended = tokio::time::timeout(
        Duration::from_secs(limits.compile_s),
        child.wait_with_output(),
    )
    .await
    .map_err(|_| too_long(file, limits))?
    .map_err(|error| failed(error.to_string()))?;
    if !ended.status.success() {
        return Err(failed(
            String::from_utf8_lossy(&ended.stderr).trim().to_owned(),
        ));
    }
    tokio::fs::read(&output)
        .await
        .map_err(|error| failed(error.to_string()))
}

fn invalid(file: &ComponentFile, error: &wasmtime::Error) -> LoadError {
    LoadError::NotAComponent {
        name: file.name.clone(),
        reason: format!("{error:#}"),
    }
}
