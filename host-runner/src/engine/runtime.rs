//! One engine per process, and what it shares between components.

use super::cache::Cache;
use super::compile::{self, Compiler};
use super::config;
use super::error::EngineError;
use super::instance::Shared;
use super::limits::Limits;
use super::memories::Memories;
use super::plugin::Plugin;
use crate::component::{Anatomy, LoadError, Source, Trust, check_parts};
use crate::contract;
use crate::domain::{Clock, SystemClock};
use crate::imports::State;
use std::path::PathBuf;
use std::sync::Arc;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

/// How to set up a [`Runtime`].
#[derive(Clone)]
pub struct RuntimeOptions {
    /// Where compiled components are kept; none compiles anew each time.
    pub cache: Option<PathBuf>,
    /// Where compiling happens.
    pub compiler: Compiler,
    /// What instances may use.
    pub limits: Limits,
    /// How many instances may live at once: a command line needs two per data stream that it syncs.
    pub instances: u32,
    /// The time that guests are told.
    pub clock: Arc<dyn Clock>,
    /// Linear memories of the caller's own; none takes them from a pool.
    pub memories: Option<Memories>,
    /// Who must have signed a component.
    pub trust: Trust,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            cache: None,
            compiler: Compiler::InProcess,
            limits: Limits::default(),
            instances: 8,
            clock: Arc::new(SystemClock),
            memories: None,
            trust: Trust::default(),
        }
    }
}

/// The engine and its linker; one per process.
pub struct Runtime {
    shared: Arc<Shared>,
    linker: Linker<State>,
    cache: Option<Cache>,
    compiler: Compiler,
    trust: Trust,
}

impl Runtime {
    /// Sets the engine up and starts its clock of epochs.
    pub fn new(options: RuntimeOptions) -> Result<Arc<Self>, EngineError> {
        let engine = config::engine(
            &options.limits,
            options.instances,
            options.memories.as_ref(),
        )?;
        tick(&engine);
        let mut linker = Linker::new(&engine);
        contract::Plugin::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut State| state)?;
        let cache = options
            .cache
            .map(|path| Cache::open(&path).map_err(|error| EngineError::Io { path, error }))
            .transpose()?;
        Ok(Arc::new(Self {
            shared: Arc::new(Shared {
                engine,
                limits: options.limits,
                clock: options.clock,
            }),
            linker,
            cache,
            compiler: options.compiler,
            trust: options.trust,
        }))
    }

    /// The limits that instances are held to.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// The time that guests are told.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.clock)
    }

    /// Reads, judges, compiles (or finds compiled) and describes a component.
    ///
    /// # Errors
    /// Where it is not trusted, does not keep the contract, or reaches a limit.
    pub async fn load(&self, source: &Source) -> Result<Arc<Plugin>, LoadError> {
        let file = source.read(&self.shared.limits)?;
        let standing = self.trust.judge(&file, source)?;
        let anatomy = Anatomy::of(&file)?;
        check_parts(&file, &self.shared.limits)?;
        let component = compile::obtain(
            &self.shared.engine,
            self.cache.as_ref(),
            &self.compiler,
            &file,
            &self.shared.limits,
        )
        .await?;
        let not_kept = |error: wasmtime::Error| LoadError::Contract {
            name: file.name.clone(),
            contract: format!("{}@{}", contract::PACKAGE, contract::VERSION),
            reason: format!("{error:#}"),
        };
        let linked = self.linker.instantiate_pre(&component).map_err(not_kept)?;
        let pre = contract::PluginPre::new(linked).map_err(not_kept)?;
        Plugin::describe(Arc::clone(&self.shared), pre, &file, anatomy, standing).await
    }
}

/// Ticks for as long as the engine lives.
fn tick(engine: &Engine) {
    let weak = engine.weak();
    // Nothing to join: the thread ends with the engine. Where it can't be started, guests are bounded by the clock alone.
    let _ = std::thread::Builder::new()
        .name("epochs".to_owned())
        .spawn(move || {
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(config::TICK);
            }
        });
}

#[cfg(test)]
mod tests;
