//! A component in use: its manifest, and its verbs.

use super::answers;
use super::call::{CallError, DESCRIBE};
use super::instance::{Instance, Shared, finish, instantiate};
use super::limits::Limits;
use super::mapper::Mapper;
use super::meter::Guarded;
use super::reading::Reading;
use crate::component::{Anatomy, ComponentFile, LoadError, Manifest, Profile, Standing};
use crate::contract::{self, connector};
use crate::domain::Clock;
use crate::imports::{LogSink, Reach, State};
use std::sync::Arc;

/// A loaded component: described once, instantiated anew for each verb.
pub struct Plugin {
    shared: Arc<Shared>,
    pre: contract::PluginPre<State>,
    name: String,
    sha256: String,
    size: u64,
    anatomy: Anatomy,
    manifest: Manifest,
    standing: Standing,
}

impl Plugin {
    /// Asks a freshly linked component for its manifest.
    pub(crate) async fn describe(
        shared: Arc<Shared>,
        pre: contract::PluginPre<State>,
        file: &ComponentFile,
        anatomy: Anatomy,
        standing: Standing,
    ) -> Result<Arc<Self>, LoadError> {
        let raw = {
            let failed = |error: CallError| LoadError::Describe {
                name: file.name.clone(),
                reason: error.to_string(),
            };
            let reach = Reach::nothing(Arc::new(crate::imports::Silent));
            let mut instance = instantiate(&shared, &pre, reach, DESCRIBE)
                .await
                .map_err(failed)?;
            let exports = &instance.exports;
            let meter = Arc::clone(&instance.meter);
            let work = instance.store.run_concurrent(async |accessor| {
                exports
                    .connector_platform_connector()
                    .call_describe(accessor)
                    .await
            });
            finish(DESCRIBE, &meter, Guarded::new(work, &meter).await).map_err(failed)?
        };
        let manifest = Manifest::check(raw).map_err(|error| LoadError::Manifest {
            name: file.name.clone(),
            error,
        })?;
        Ok(Arc::new(Self {
            shared,
            pre,
            name: file.name.clone(),
            sha256: file.sha256.clone(),
            size: file.bytes.len() as u64,
            anatomy,
            manifest,
            standing,
        }))
    }

    /// Where it came from, for messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of the component's bytes, lower-case hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Size of the component in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its imports, exports and metadata.
    #[must_use]
    pub fn anatomy(&self) -> &Anatomy {
        &self.anatomy
    }

    /// Its manifest, checked.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Who signed it, as far as that was looked into.
    #[must_use]
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// What it is and can reach, to be kept and compared.
    #[must_use]
    pub fn profile(&self) -> Profile {
        Profile::new(&self.anatomy, &self.manifest, &self.sha256, self.size)
    }

    /// The limits that it is held to.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// The time that it is told.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.shared.clock)
    }

    /// Checks and completes a configuration. Pure: the instance has no way out.
    pub async fn configure(
        &self,
        config: &serde_json::Value,
        secrets_set: &[String],
        written_by: Option<&str>,
        log: Arc<dyn LogSink>,
    ) -> Result<Result<connector::Configuration, Vec<contract::types::Problem>>, CallError> {
        const VERB: &str = "configure";
        let mut instance = self.pure(VERB, log).await?;
        let exports = &instance.exports;
        let meter = Arc::clone(&instance.meter);
        let config = config.to_string().into_bytes();
        let work = instance.store.run_concurrent(async |accessor| {
            exports
                .connector_platform_connector()
                .call_configure(
                    accessor,
                    config,
                    secrets_set.to_vec(),
                    written_by.map(str::to_owned),
                )
                .await
        });
        finish(VERB, &meter, Guarded::new(work, &meter).await)
    }

    /// Tries what a sync will need.
    pub async fn test(
        &self,
        config: Vec<u8>,
        reach: Reach,
    ) -> Result<Vec<connector::Check>, CallError> {
        const VERB: &str = "test";
        let mut instance = self.instantiate(reach, VERB).await?;
        let exports = &instance.exports;
        let meter = Arc::clone(&instance.meter);
        let work = instance.store.run_concurrent(async |accessor| {
            exports
                .connector_platform_connector()
                .call_test(accessor, config)
                .await
        });
        finish(VERB, &meter, Guarded::new(work, &meter).await)
    }

    /// Finds out what the tenant holds and the configuration leaves out.
    pub async fn survey(
        &self,
        config: Vec<u8>,
        silent_days: u16,
        reach: Reach,
    ) -> Result<Vec<connector::BlindSpot>, CallError> {
        const VERB: &str = "survey";
        let mut instance = self.instantiate(reach, VERB).await?;
        let exports = &instance.exports;
        let meter = Arc::clone(&instance.meter);
        let work = instance.store.run_concurrent(async |accessor| {
            exports
                .connector_platform_connector()
                .call_survey(accessor, config, silent_days)
                .await
        });
        finish(VERB, &meter, Guarded::new(work, &meter).await)
    }

    /// Begins, or goes on with, a sync; its steps come through the [`Reading`].
    pub async fn sync(
        self: &Arc<Self>,
        request: connector::SyncRequest,
        reach: Reach,
    ) -> Result<Reading, CallError> {
        let instance = self.instantiate(reach, "sync").await?;
        Ok(Reading::start(instance, request))
    }

    /// Prepares a map in an instance of its own, without a way out.
    pub async fn mapper(
        self: &Arc<Self>,
        mapping: Vec<u8>,
        context: connector::MapContext,
        log: Arc<dyn LogSink>,
    ) -> Result<Result<Mapper, Vec<contract::types::Problem>>, CallError> {
        let instance = self.pure("transform", log).await?;
        Mapper::start(instance, mapping, context).await
    }

    /// What another configuration would do with entries of a data stream that are held; or why that can't be told. Pure: the instance has
    /// no way out.
    ///
    /// # Errors
    /// The call did not come to its end, or its answer is none that the contract allows.
    pub async fn sift(
        &self,
        before: &serde_json::Value,
        after: &serde_json::Value,
        data_stream: &str,
        entries: Vec<connector::Entry>,
        log: Arc<dyn LogSink>,
    ) -> Result<Result<connector::Sifting, contract::types::Fault>, CallError> {
        const VERB: &str = "sift";
        let mut instance = self.pure(VERB, log).await?;
        let exports = &instance.exports;
        let meter = Arc::clone(&instance.meter);
        let expected = entries.len();
        let (before, after) = (
            before.to_string().into_bytes(),
            after.to_string().into_bytes(),
        );
        let work = instance.store.run_concurrent(async |accessor| {
            exports
                .connector_platform_connector()
                .call_sift(accessor, before, after, data_stream.to_owned(), entries)
                .await
        });
        let told = finish(VERB, &meter, Guarded::new(work, &meter).await)?;
        answers::sifting(told, expected, self.limits()).map_err(|message| CallError::Contract {
            verb: VERB,
            message,
        })
    }

    async fn pure(&self, verb: &'static str, log: Arc<dyn LogSink>) -> Result<Instance, CallError> {
        self.instantiate(Reach::nothing(log), verb).await
    }

    async fn instantiate(&self, reach: Reach, verb: &'static str) -> Result<Instance, CallError> {
        instantiate(&self.shared, &self.pre, reach, verb).await
    }
}
