//! What every attack needs: the hostile component in the real runner, a tenant to attack from, another tenant that goes on.

use crate::server::Server;
use cross_crate_tests::HOSTILE;
use futures_util::TryStreamExt;
use host_runner::component::{LoadError, Source};
use host_runner::connection::{self, ConnectRequest, ConnectionError, Desk, TypedConfig};
use host_runner::contract::connector::{Entry, MapContext, Sifting};
use host_runner::domain::{ConnectionName, DataStreamName, RunState, TenantName};
use host_runner::egress::Rate;
use host_runner::engine::{CallError, Limits, Mapper, Plugin, Runtime, RuntimeOptions};
use host_runner::imports::Silent;
use host_runner::pipeline::{
    self, Cancel, FaultKind, Observer, Progress, RunFault, RunReport, SyncOptions, Unobserved,
};
use host_runner::secrets::{Secret, SecretSet};
use host_runner::store::sqlite::SqliteStore;
use host_runner::store::{
    Asset, AssetFilter, Connection, Finding, FindingFilter, Record, RecordQuery, Store,
};
use hostile_connector::order::{Attack, MARK, Order, ROOM, name};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use tokio::sync::{OnceCell, watch};
use tokio::task::JoinHandle;

/// The secret of every connection.
pub const KEY: &str = "test-key";
/// The only data stream.
pub const STREAM: &str = "things";

/// A runtime with these limits. What is compiled is shared by all of them.
pub fn runtime(limits: Limits) -> Arc<Runtime> {
    static COMPILED: std::sync::OnceLock<TempDir> = std::sync::OnceLock::new();
    let compiled = COMPILED.get_or_init(|| tempfile::tempdir().unwrap());
    Runtime::new(RuntimeOptions {
        cache: Some(compiled.path().to_owned()),
        limits,
        instances: 32,
        ..RuntimeOptions::default()
    })
    .unwrap()
}

/// The runtime of all tests that need no limits of their own.
pub fn default_runtime() -> Arc<Runtime> {
    static RUNTIME: std::sync::OnceLock<Arc<Runtime>> = std::sync::OnceLock::new();
    Arc::clone(RUNTIME.get_or_init(|| runtime(Limits::default())))
}

/// The hostile component, with the default limits.
pub async fn plugin() -> Arc<Plugin> {
    static PLUGIN: OnceCell<Arc<Plugin>> = OnceCell::const_new();
    PLUGIN
        .get_or_init(|| async { load(&default_runtime(), HOSTILE.to_vec()).await.unwrap() })
        .await
        .clone()
}

pub async fn load(runtime: &Runtime, bytes: Vec<u8>) -> Result<Arc<Plugin>, LoadError> {
    runtime
        .load(&Source::Bytes("hostile".to_owned(), bytes))
        .await
}

/// The hostile component with an attack in `describe`, which is given no configuration.
pub fn marked(attack: Attack) -> Vec<u8> {
    let mut bytes = HOSTILE.to_vec();
    let at = bytes
        .windows(MARK.len())
        .position(|window| window == MARK.as_bytes())
        .expect("the mark")
        + MARK.len();
    let name = format!("{:.<ROOM$}", name(attack));
    bytes[at..at + ROOM].copy_from_slice(name.as_bytes());
    bytes
}

/// An entry with an order in it.
pub fn entry(order: &Order) -> Entry {
    Entry {
        key: "k".to_owned(),
        fingerprint: "1".to_owned(),
        seen_at: None,
        partial: false,
        body: serde_json::to_vec(order).unwrap(),
    }
}

/// A hostile component in use.
pub struct Bench {
    pub desk: Desk,
    pub server: Server,
    pub rate: Rate,
    connections: AtomicU64,
    _data: TempDir,
}

/// Which tenant attacks.
pub fn mallory() -> TenantName {
    TenantName::new("mallory").unwrap()
}

/// Which tenant is to notice nothing.
pub fn alice() -> TenantName {
    TenantName::new("alice").unwrap()
}

impl Bench {
    /// With the default limits.
    pub async fn new() -> Self {
        Self::with(plugin().await).await
    }

    /// With limits of its own.
    pub async fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        let mut limits = Limits::default();
        change(&mut limits);
        Self::with(load(&runtime(limits), HOSTILE.to_vec()).await.unwrap()).await
    }

    /// With a component that was loaded in a way of its own.
    pub async fn with(plugin: Arc<Plugin>) -> Self {
        let data = tempfile::tempdir().unwrap();
        Self {
            desk: Desk::new(plugin, data.path()),
            server: Server::start().await,
            rate: Rate::Unlimited,
            connections: AtomicU64::new(0),
            _data: data,
        }
    }

    /// An order to the component to attack in `next`.
    pub fn order(&self, attack: Attack) -> Order {
        Order {
            base_url: self.server.url(),
            attack,
            ..Order::default()
        }
    }

    /// A map of the component's. What it is ordered to do in `explain` stands in the entry.
    pub async fn mapper(&self, order: &Order) -> Result<Mapper, CallError> {
        let context = MapContext {
            data_stream: STREAM.to_owned(),
            custom_fields: Vec::new(),
            model: b"{}".to_vec(),
        };
        let mapping = serde_json::to_vec(order).unwrap();
        let mapper = self
            .desk
            .plugin
            .mapper(mapping, context, Arc::new(Silent))
            .await;
        mapper.map(Result::unwrap)
    }

    /// Has it sift two entries.
    pub async fn sift(&self, order: &Order) -> Result<Sifting, CallError> {
        let config = serde_json::to_value(order).unwrap();
        let entries = vec![entry(order), entry(order)];
        let sifting = self
            .desk
            .plugin
            .sift(&config, &config, STREAM, entries, Arc::new(Silent))
            .await;
        sifting.map(Result::unwrap)
    }

    /// Connects a tenant with an order.
    pub async fn connect(
        &self,
        tenant: &TenantName,
        order: &Order,
        skip_test: bool,
    ) -> Result<Connection, ConnectionError> {
        let number = self.connections.fetch_add(1, Ordering::SeqCst);
        let mut secrets = SecretSet::default();
        secrets.insert("apiKey".to_owned(), Secret::new(KEY.to_owned()));
        let request = ConnectRequest {
            tenant: tenant.clone(),
            name: ConnectionName::new(format!("hostile-{number}")).unwrap(),
            typed: TypedConfig {
                config: serde_json::to_value(order).unwrap(),
                secrets,
            },
            skip_test,
            rate: self.rate,
            ..crate::bench::request()
        };
        connection::connect(&self.desk, request, &()).await
    }

    /// A new connection that has this order, and its first sync.
    pub async fn attacked(&self, order: &Order) -> Attacked<'_> {
        let connection = self.connect(&mallory(), order, true).await.unwrap();
        let report = self.sync(&mallory(), &connection.name).await;
        Attacked {
            bench: self,
            connection,
            report,
        }
    }

    /// Gives a connection another order, and syncs it again.
    pub async fn reordered(&self, connection: &Connection, order: &Order) -> RunReport {
        let mut changed = connection.clone();
        changed.config = serde_json::to_value(order).unwrap();
        let store = self.store(&mallory()).await;
        store.update_connection(&changed, &[]).await.unwrap();
        self.sync(&mallory(), &connection.name).await
    }

    /// Syncs a connection.
    pub async fn sync(&self, tenant: &TenantName, name: &ConnectionName) -> RunReport {
        self.sync_watched(tenant, name, Arc::new(Unobserved), Cancel::new())
            .await
    }

    async fn sync_watched(
        &self,
        tenant: &TenantName,
        name: &ConnectionName,
        observer: Arc<dyn Observer>,
        cancel: Cancel,
    ) -> RunReport {
        sync(&self.desk, self.rate, tenant, name, observer, cancel).await
    }

    /// A tenant's store.
    pub async fn store(&self, tenant: &TenantName) -> SqliteStore {
        self.desk.stores.open(tenant).await.unwrap()
    }

    /// What is held of a connection.
    pub async fn records(&self, connection: &Connection) -> Vec<Record> {
        let query = RecordQuery {
            connection: connection.id,
            stream: DataStreamName::new(STREAM).unwrap(),
            key: None,
            after: None,
            limit: 10_000,
        };
        let store = self.store(&mallory()).await;
        store.records(&query).await.unwrap()
    }

    /// The open assets of the tenant that attacks.
    pub async fn assets(&self) -> Vec<Asset> {
        let store = self.store(&mallory()).await;
        let assets = store.assets(&AssetFilter::default());
        assets.try_collect().await.unwrap()
    }

    /// Its open findings.
    pub async fn findings(&self) -> Vec<Finding> {
        let store = self.store(&mallory()).await;
        let findings = store.findings(&FindingFilter::default());
        findings.try_collect().await.unwrap()
    }

    /// Another tenant, whose sync has no end.
    pub async fn bystander(&self) -> Bystander {
        let order = Order {
            records: 1,
            ..self.order(Attack::EndlessSteps)
        };
        let connection = self.connect(&alice(), &order, true).await.unwrap();
        let (sender, steps) = watch::channel(0);
        let cancel = Cancel::new();
        let (desk, rate, stop) = (self.desk.clone(), self.rate, cancel.clone());
        let task = tokio::spawn(async move {
            let observer = Arc::new(Counting(sender));
            sync(&desk, rate, &alice(), &connection.name, observer, stop).await
        });
        let mut bystander = Bystander {
            steps,
            cancel,
            task,
        };
        bystander.commits(1).await;
        bystander
    }
}

/// What every connection is asked for with.
pub fn request() -> ConnectRequest {
    ConnectRequest {
        tenant: mallory(),
        name: ConnectionName::new("hostile").unwrap(),
        description: None,
        typed: TypedConfig {
            config: serde_json::json!({}),
            secrets: SecretSet::default(),
        },
        maps: Vec::new(),
        allow_loopback: true,
        leave_out_users: false,
        skip_test: true,
        rate: Rate::Unlimited,
        way_out: host_runner::connection::WayOutChange::default(),
    }
}

async fn sync(
    desk: &Desk,
    rate: Rate,
    tenant: &TenantName,
    name: &ConnectionName,
    observer: Arc<dyn Observer>,
    cancel: Cancel,
) -> RunReport {
    let session = connection::session(desk, tenant, name, &[], rate)
        .await
        .unwrap();
    let stream = DataStreamName::new(STREAM).unwrap();
    let job = session.job(desk, &stream, SyncOptions::default(), observer, cancel);
    pipeline::sync(&job).await.unwrap()
}

/// What became of an attack.
pub struct Attacked<'a> {
    bench: &'a Bench,
    pub connection: Connection,
    pub report: RunReport,
}

impl Attacked<'_> {
    /// Why the run ended.
    #[track_caller]
    pub fn fault(&self) -> &RunFault {
        assert_eq!(self.report.state, RunState::Failed, "{:?}", self.report);
        self.report.fault.as_ref().expect("a fault")
    }

    /// The run was ended by this limit, and the message names it and the flag that raises it.
    #[track_caller]
    pub fn met_limit(&self, limit: &str) -> &Self {
        let fault = self.fault();
        assert_eq!(fault.limit.as_deref(), Some(limit), "{fault:?}");
        assert_eq!(fault.kind, FaultKind::Limit);
        assert!(fault.message.contains(&format!("`{limit}`")), "{fault:?}");
        assert!(
            fault.remedy.contains(&format!("--limit-{limit}")),
            "{fault:?}"
        );
        self
    }

    /// The run was ended as a broken contract, and the message says what was broken.
    #[track_caller]
    pub fn broke(&self, what: &str) -> &Self {
        let fault = self.fault();
        assert_eq!(fault.kind, FaultKind::Component, "{fault:?}");
        assert!(fault.message.contains(what), "{fault:?}");
        self
    }

    /// All steps that were committed are there, and nothing of the one that was not.
    pub async fn kept(&self, records: usize) -> &Self {
        let held = self.bench.records(&self.connection).await;
        let keys: Vec<&str> = held.iter().map(|record| record.key.as_str()).collect();
        assert_eq!(keys.len(), records, "{keys:?}");
        self
    }

    /// What the connector told the run.
    #[track_caller]
    pub fn told(&self, what: &str) -> &Self {
        let warnings = &self.report.warnings;
        assert!(
            warnings.iter().any(|warning| warning.contains(what)),
            "{warnings:?}"
        );
        self
    }
}

struct Counting(watch::Sender<u64>);

impl Observer for Counting {
    fn step(&self, _progress: &Progress) {
        self.0.send_modify(|steps| *steps += 1);
    }
}

/// A sync of another tenant, in the same process.
pub struct Bystander {
    steps: watch::Receiver<u64>,
    cancel: Cancel,
    task: JoinHandle<RunReport>,
}

impl Bystander {
    /// How many steps it has committed.
    pub fn steps(&self) -> u64 {
        *self.steps.borrow()
    }

    /// Waits until it has committed so many more.
    pub async fn commits(&mut self, more: u64) {
        let until = self.steps() + more;
        self.steps.wait_for(|steps| *steps >= until).await.unwrap();
    }

    /// It goes on after the attack, and has met no fault when it is stopped.
    pub async fn goes_on(mut self) {
        self.commits(3).await;
        self.cancel.stop();
        let report = self.task.await.unwrap();
        assert_eq!(report.state, RunState::Cancelled, "{report:?}");
        assert!(report.fault.is_none());
    }
}
