//! A tenant, a connection and steps in few words.

use futures_util::TryStreamExt;
use serde_json::{Value, json};

use crate::domain::{
    ConnectionId, DataStreamName, Ledger, Mode, RunId, SyncId, TenantName, Timestamp,
};
use crate::store::sqlite::{SqliteStore, Stores};
use crate::store::*;

/// A store in a directory that goes with it, and a connection.
pub(super) struct Bench {
    pub(super) folder: tempfile::TempDir,
    pub(super) store: SqliteStore,
    pub(super) connection: ConnectionId,
}

pub(super) fn at(ms: u64) -> Timestamp {
    Timestamp::from_ms(ms).unwrap()
}

pub(super) fn stream(name: &str) -> DataStreamName {
    DataStreamName::new(name).unwrap()
}

pub(super) fn switches(update: bool, onboard: bool) -> Switches {
    Switches {
        update_existing_assets: update,
        auto_onboard_assets: onboard,
    }
}

/// These switches, of a model with custom fields that shows who brought an asset in.
pub(super) fn asset_rules(switches: Switches) -> AssetRules {
    AssetRules {
        switches,
        always_written: vec!["/customFields".to_owned()],
        onboarding_source: Some("/onboardingSource".to_owned()),
        findings: Some("/findings".to_owned()),
    }
}

/// The secrets of a connection that has none.
pub(super) fn no_secrets(_: ConnectionId) -> Result<Vec<SealedSecret>, StoreError> {
    Ok(Vec::new())
}

pub(super) fn connection(name: &str) -> Connection {
    Connection {
        id: ConnectionId(0),
        name: name.parse().unwrap(),
        description: String::new(),
        component: ComponentRef {
            name: "cortex-xdr".to_owned(),
            version: "0.1.0".to_owned(),
            sha256: "0".repeat(64),
        },
        typed_config: json!({}),
        config: json!({}),
        origins: vec![("api".to_owned(), "https://api-x.example.com".to_owned())],
        secrets: vec!["apiKey".to_owned()],
        data_streams: vec![stream("endpoints"), stream("alerts")],
        scope: vec![("endpoints".to_owned(), "all".to_owned())],
        policy: Policy::default(),
        target: "safe".to_owned(),
        maps: std::collections::BTreeMap::new(),
        allow_loopback: false,
        way_out: WayOut::default(),
        tested: Tested::Untested {
            reason: "skipped".to_owned(),
        },
        leave_out_users: false,
        set_aside: None,
        reach: None,
        secrets_changed_at: None,
        created_at: at(1),
        updated_at: at(1),
    }
}

pub(super) fn asset(key: &str, body: Value) -> Document {
    Document {
        kind: DocumentKind::Asset,
        key: key.to_owned(),
        asset: None,
        identity: vec![("external-id".to_owned(), key.to_owned())],
        facets: vec![
            ("onboarding-source".to_owned(), "test.source".to_owned()),
            ("finding-source".to_owned(), "Test XDR".to_owned()),
            ("host-name".to_owned(), format!("host-{key}")),
        ],
        placeholders: vec![],
        body: body.to_string().into_bytes(),
    }
}

pub(super) fn finding(key: &str, asset: Option<&str>, severity: &str) -> Document {
    Document {
        kind: DocumentKind::Finding,
        key: key.to_owned(),
        asset: asset.map(str::to_owned),
        identity: vec![],
        facets: vec![
            ("finding-source".to_owned(), "Test XDR".to_owned()),
            ("severity".to_owned(), severity.to_owned()),
            ("title".to_owned(), format!("finding {key}")),
        ],
        placeholders: vec![],
        body: json!({"id": key, "severity": severity})
            .to_string()
            .into_bytes(),
    }
}

pub(super) fn entry(key: &str, fingerprint: &str, documents: Vec<Document>) -> Entry {
    Entry {
        key: key.to_owned(),
        fingerprint: fingerprint.to_owned(),
        seen_at: None,
        partial: false,
        body: json!({"key": key, "fingerprint": fingerprint})
            .to_string()
            .into_bytes(),
        outcome: Outcome::Documents {
            documents,
            problems: vec![],
        },
    }
}

pub(super) fn endpoint(key: &str, fingerprint: &str) -> Entry {
    entry(
        key,
        fingerprint,
        vec![asset(key, json!({"id": key, "version": fingerprint}))],
    )
}

pub(super) fn alert(key: &str, endpoint: &str) -> Entry {
    entry(key, "1", vec![finding(key, Some(endpoint), "high")])
}

pub(super) fn unchanged(key: &str, fingerprint: &str) -> Entry {
    Entry {
        outcome: Outcome::Unchanged,
        ..entry(key, fingerprint, vec![])
    }
}

pub(super) fn closure(key: &str, closing: Closing) -> Closure {
    Closure {
        key: key.to_owned(),
        closing,
        evidence: "RESOLVED_TRUE_POSITIVE".to_owned(),
        at: Some(at(7)),
    }
}

/// A sync under way.
#[derive(Clone)]
pub(super) struct Sync {
    pub(super) stream: DataStreamName,
    pub(super) run: RunId,
    pub(super) sync: SyncId,
    pub(super) now: Timestamp,
    pub(super) state: SyncState,
    pub(super) switches: Switches,
    pub(super) made_with: String,
}

impl Bench {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Stores::new(folder.path()).create(&tenant()).await.unwrap();
        let connection = store
            .create_connection(&connection("prod"), no_secrets)
            .await
            .unwrap()
            .id;
        Self {
            folder,
            store,
            connection,
        }
    }

    /// Another connection of the same tenant.
    pub(super) async fn beside(&self, name: &str) -> Self {
        let store = self.store.clone();
        let other = connection(name);
        Self {
            folder: tempfile::tempdir().unwrap(),
            connection: store
                .create_connection(&other, no_secrets)
                .await
                .unwrap()
                .id,
            store,
        }
    }

    pub(super) async fn begin(&self, name: &str, mode: Mode, now: u64) -> Sync {
        self.begin_scoped(name, mode, now, "all").await
    }

    pub(super) async fn begin_scoped(&self, name: &str, mode: Mode, now: u64, scope: &str) -> Sync {
        let stream = stream(name);
        let run = self
            .store
            .begin_run(&NewRun {
                connection: self.connection,
                stream: stream.clone(),
                mode,
                reason: "test".to_owned(),
                map: None,
                now: at(now),
            })
            .await
            .unwrap();
        let begin = BeginSync {
            run,
            connection: self.connection,
            stream: stream.clone(),
            mode,
            scope: scope.to_owned(),
            restart: false,
            now: at(now),
        };
        let state = self.store.begin_or_resume_sync(&begin).await.unwrap();
        Sync {
            stream,
            run,
            sync: state.sync,
            now: at(now),
            state,
            switches: switches(true, true),
            made_with: "map-1".to_owned(),
        }
    }

    pub(super) fn step(&self, sync: &Sync, entries: Vec<Entry>) -> StepCommit {
        StepCommit {
            connection: self.connection,
            stream: sync.stream.clone(),
            run: sync.run,
            sync: sync.sync,
            now: sync.now,
            made_with: sync.made_with.clone(),
            asset_rules: asset_rules(sync.switches),
            entries,
            closures: vec![],
            quarantine: vec![],
            confirmed: vec![],
            skipped: vec![],
            checkpoint: b"{\"page\":1}".to_vec(),
        }
    }

    /// Commits entries; the step's ledger must add up.
    pub(super) async fn put(&self, sync: &Sync, entries: Vec<Entry>) -> Ledger {
        self.commit(self.step(sync, entries)).await
    }

    pub(super) async fn commit(&self, step: StepCommit) -> Ledger {
        let ledger = self.store.commit_step(step).await.unwrap();
        assert!(ledger.adds_up(), "{ledger:?}");
        ledger
    }

    pub(super) async fn close(&self, sync: &Sync, closures: Vec<Closure>) -> Ledger {
        let mut step = self.step(sync, vec![]);
        step.closures = closures;
        self.commit(step).await
    }

    pub(super) fn ending(&self, sync: &Sync) -> EndCommit {
        EndCommit {
            run: sync.run,
            sync: sync.sync,
            now: sync.now,
            checkpoint: b"{\"since\":1}".to_vec(),
            made_with: sync.made_with.clone(),
            coverage: Coverage::Complete { slices: json!([]) },
            guard: RemovalGuard::default(),
        }
    }

    /// Ends a sync that was proven complete.
    pub(super) async fn end(&self, sync: &Sync) -> EndReport {
        self.store.commit_end(&self.ending(sync)).await.unwrap()
    }

    /// A whole full sync of one step.
    pub(super) async fn full(
        &self,
        name: &str,
        now: u64,
        entries: Vec<Entry>,
    ) -> (Ledger, EndReport) {
        let sync = self.begin(name, Mode::Full, now).await;
        let ledger = self.put(&sync, entries).await;
        (ledger, self.end(&sync).await)
    }

    /// All assets, whatever their state.
    pub(super) async fn assets(&self) -> Vec<Asset> {
        let filter = AssetFilter {
            include_inactive: true,
            include_out_of_scope: true,
            ..AssetFilter::default()
        };
        self.store.assets(&filter).try_collect().await.unwrap()
    }

    /// All findings, whatever their state.
    pub(super) async fn findings(&self) -> Vec<Finding> {
        let filter = FindingFilter {
            include_closed: true,
            include_out_of_scope: true,
            include_parked: true,
            ..FindingFilter::default()
        };
        self.store.findings(&filter).try_collect().await.unwrap()
    }

    pub(super) async fn quarantined(&self) -> Vec<Quarantined> {
        self.store
            .quarantine(&QuarantineFilter::default())
            .try_collect()
            .await
            .unwrap()
    }

    pub(super) async fn record(&self, name: &str, key: &str) -> Option<Record> {
        let query = RecordQuery {
            connection: self.connection,
            stream: stream(name),
            key: Some(key.to_owned()),
            after: None,
            limit: 2,
        };
        let mut records = self.store.records(&query).await.unwrap();
        assert!(records.len() < 2);
        records.pop()
    }

    pub(super) async fn stands(&self, sync: &Sync, entries: &[(&str, &str)]) -> Vec<Standing> {
        let query = StandingQuery {
            connection: self.connection,
            stream: &sync.stream,
            sync: sync.sync,
            entries,
            made_with: &sync.made_with,
        };
        self.store.standing(&query).await.unwrap()
    }
}

pub(super) fn tenant() -> TenantName {
    TenantName::new("acme").unwrap()
}
