//! What the tests that cross crates share: a simulated tenant, the real component in the real runner, a store in a folder of
//! its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this crate is only tests: a panic is a failed test"
)]

pub mod memory;
mod native;
pub mod records;
pub mod traces;
pub mod truth;
mod watch;

pub use native::Native;
pub use watch::stop_after;

use cortex_xdr_simulator::{Options, Simulator};
use futures_util::StreamExt;
use host_runner::component::Source;
use host_runner::connection::{
    self, ConnectRequest, Desk, TypedConfig, UpdateRequest, WayOutChange,
};
use host_runner::domain::{Clock, ConnectionName, DataStreamName, SystemClock, TenantName};
use host_runner::egress::{Egress, EgressConfig, Origin, Rate};
use host_runner::engine::{Plugin, Runtime, RuntimeOptions};
use host_runner::model::Model;
use host_runner::pipeline::{self, Cancel, RunReport, SyncJob, SyncOptions, Unobserved};
use host_runner::secrets::{Secret, SecretSet};
use host_runner::store::sqlite::SqliteStore;
use host_runner::store::{Asset, AssetFilter, Connection, Finding, FindingFilter, Store};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// All data streams, in the order of reading.
pub const STREAMS: [&str; 3] = ["endpoints", "alerts", "vulnerabilities"];

/// The shortest silence of the simulator that may be taken for one that lasts, on a machine that is busy.
const SILENCE: Duration = Duration::from_secs(2);

/// The bundled component, compiled once per test binary.
///
/// # Panics
/// Where it does not load: nothing can be tested then.
pub async fn plugin() -> Arc<Plugin> {
    static PLUGIN: OnceCell<Arc<Plugin>> = OnceCell::const_new();
    PLUGIN
        .get_or_init(|| async {
            let runtime = Runtime::new(RuntimeOptions {
                instances: 64,
                ..RuntimeOptions::default()
            })
            .expect("an engine");
            runtime
                .load(&Source::Bundled)
                .await
                .expect("the bundled connector")
        })
        .await
        .clone()
}

/// Any free port of this machine.
#[must_use]
pub fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A tenant, simulated and connected.
pub struct Rig {
    /// The simulated tenant.
    pub simulator: Simulator,
    /// The services.
    pub desk: Desk,
    /// The connection.
    pub connection: Connection,
    /// The tenant's store.
    pub store: SqliteStore,
    /// How fast its syncs may send.
    pub rate: Rate,
    /// The longest back-off and the longest silence of the API that its syncs wait for; the runner's own where none. Faults are many
    /// in some tests, and waiting proves nothing.
    pub patience: Option<Duration>,
    _data: TempDir,
}

impl Rig {
    /// A simulated tenant and a connection to it. `config` is laid over what every connection to the simulator needs.
    ///
    /// # Panics
    /// Where connecting fails.
    pub async fn new(options: Options, config: Value) -> Self {
        Self::connected(options, config, false).await
    }

    /// The same, saved without a test.
    ///
    /// # Panics
    /// Where connecting fails.
    pub async fn untested(options: Options, config: Value) -> Self {
        Self::connected(options, config, true).await
    }

    /// The same, of all data streams.
    ///
    /// # Panics
    /// Where connecting fails.
    pub async fn of_all_streams(options: Options, mut config: Value) -> Self {
        config["dataStreams"] = json!(STREAMS);
        Self::untested(options, config).await
    }

    async fn connected(options: Options, config: Value, skip_test: bool) -> Self {
        Self::with_plugin(plugin().await, options, config, skip_test).await
    }

    /// With a component that was loaded in a way of its own.
    ///
    /// # Panics
    /// Where connecting fails.
    pub async fn with_plugin(
        plugin: Arc<Plugin>,
        options: Options,
        config: Value,
        skip_test: bool,
    ) -> Self {
        let simulator = Simulator::start(options, loopback())
            .await
            .expect("a simulator");
        let data = tempfile::tempdir().expect("a folder");
        let desk = Desk::new(plugin, data.path());
        let request = ConnectRequest {
            skip_test,
            ..request(&simulator, config)
        };
        let connection = connection::connect(&desk, request, &())
            .await
            .expect("a connection");
        let store = desk.stores.open(&tenant()).await.expect("a store");
        Self::over(simulator, desk, connection, store, data)
    }

    /// A connection that is there already. `data` goes when the rig goes.
    #[must_use]
    pub fn over(
        simulator: Simulator,
        desk: Desk,
        connection: Connection,
        store: SqliteStore,
        data: TempDir,
    ) -> Self {
        Self {
            simulator,
            desk,
            connection,
            store,
            rate: Rate::Unlimited,
            patience: None,
            _data: data,
        }
    }

    /// A change of the connection, without a test: this laid over its configuration, and other maps, where there are any.
    ///
    /// # Panics
    /// Where a map is not written as one is.
    #[must_use]
    pub fn change(&self, laid_over: &Value, maps: &[&str]) -> UpdateRequest {
        let over = laid_over.as_object().filter(|over| !over.is_empty());
        let config = over.map(|over| {
            let mut config = self.connection.typed_config.clone();
            for (name, value) in over {
                config[name] = value.clone();
            }
            config
        });
        UpdateRequest {
            tenant: tenant(),
            name: self.connection.name.clone(),
            config,
            secrets: SecretSet::default(),
            description: None,
            maps: maps.iter().map(|map| map.parse().expect("a map")).collect(),
            allow_loopback: true,
            leave_out_users: None,
            skip_test: true,
            upgrade: false,
            accept_reach: false,
            rate: Rate::Unlimited,
            way_out: WayOutChange::default(),
        }
    }

    /// Syncs one data stream, unpaced.
    ///
    /// # Panics
    /// Where no run could be begun.
    pub async fn sync(&self, stream: &str) -> RunReport {
        self.sync_with(stream, SyncOptions::default()).await
    }

    /// Syncs one data stream in a way of its own.
    ///
    /// # Panics
    /// Where no run could be begun.
    pub async fn sync_with(&self, stream: &str, options: SyncOptions) -> RunReport {
        let job = self.job(stream, options).await;
        pipeline::sync(&job).await.expect("a run")
    }

    /// What a sync of one data stream is asked to do.
    ///
    /// # Panics
    /// Where the connection has no way out.
    pub async fn job(&self, stream: &str, options: SyncOptions) -> SyncJob<SqliteStore> {
        let egress = self.egress().await;
        let model = Model::by_name(&self.connection.target).expect("a model");
        let policy = &self.connection.policy;
        SyncJob {
            store: self.store.clone(),
            plugin: Arc::clone(&self.desk.plugin),
            connection: self.connection.clone(),
            stream: DataStreamName::new(stream).expect("a data stream"),
            model_schema: model.schema_bytes(),
            asset_rules: model.asset_rules(policy),
            egress,
            tap: None,
            options,
            observer: Arc::new(Unobserved),
            cancel: Cancel::new(),
        }
    }

    /// The connection's way out.
    ///
    /// # Panics
    /// Where there is none.
    pub async fn egress(&self) -> Arc<Egress> {
        let Some(patience) = self.patience else {
            let linked = connection::link::of_connection(
                &self.desk,
                &self.store,
                &self.connection,
                self.rate,
            );
            return linked.await.expect("a way out");
        };
        let secrets = connection::link::secrets(&self.desk, &self.store, &self.connection);
        let secrets = secrets.await.expect("the secrets");
        let origins = self.connection.origins.iter().map(|(name, origin)| {
            let origin = Origin::parse(origin).expect("an origin");
            (name.clone(), origin)
        });
        let manifest = self.desk.plugin.manifest();
        let mut config = EgressConfig::new(
            origins.collect(),
            manifest.declared_calls(),
            manifest.budgets.clone(),
            Arc::new(secrets),
        );
        config.rate = self.rate;
        config.allow_loopback = true;
        config.limits.longest_wait = patience;
        config.limits.idle_timeout = patience.max(SILENCE);
        Arc::new(Egress::new(config).expect("a way out"))
    }

    /// All open assets.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn assets(&self) -> Vec<Asset> {
        let filter = AssetFilter::default();
        self.store
            .assets(&filter)
            .map(|asset| asset.expect("an asset"))
            .collect()
            .await
    }

    /// All open findings.
    ///
    /// # Panics
    /// Where the store fails.
    pub async fn findings(&self) -> Vec<Finding> {
        let filter = FindingFilter::default();
        self.store
            .findings(&filter)
            .map(|finding| finding.expect("a finding"))
            .collect()
            .await
    }
}

/// The tenant of every rig.
///
/// # Panics
/// Never: the name is a good one.
#[must_use]
pub fn tenant() -> TenantName {
    TenantName::new("acme").expect("a name")
}

/// How to connect to a simulator.
///
/// # Panics
/// Where `config` is no object.
#[must_use]
pub fn request(simulator: &Simulator, config: Value) -> ConnectRequest {
    let mut typed = json!({
        "baseUrl": simulator.url(),
        "apiKeyId": simulator.api_key_id(),
        "securityLevel": simulator.security_level().as_str(),
        "autoOnboardAssets": true,
    });
    for (name, value) in config.as_object().expect("an object") {
        typed[name] = value.clone();
    }
    let mut secrets = SecretSet::default();
    secrets.insert(
        "apiKey".to_owned(),
        Secret::new(simulator.api_key().to_owned()),
    );
    ConnectRequest {
        tenant: tenant(),
        name: ConnectionName::new("xdr").expect("a name"),
        description: None,
        typed: TypedConfig {
            config: typed,
            secrets,
        },
        maps: Vec::new(),
        allow_loopback: true,
        leave_out_users: false,
        skip_test: false,
        rate: Rate::Unlimited,
        way_out: WayOutChange::default(),
    }
}

/// Now.
#[must_use]
pub fn now() -> host_runner::domain::Timestamp {
    SystemClock.now()
}

/// The hostile connector, as a component.
pub static HOSTILE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hostile.wasm"));
