//! `demo`: everything at once, against a simulated tenant.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use cortex_xdr_simulator::{Options, Simulator};
use futures_util::TryStreamExt;
use serde_json::{Value, json};

use super::connect::Telling;
use super::{simulate, sync};
use crate::cli::args::{DemoArgs, PaceArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::table::bold;
use crate::cli::view::{asset, finding};
use crate::connection::{
    self as service, ConnectRequest, Desk, TypedConfig, WayOutChange, session,
};
use crate::domain::{ConnectionName, TenantName};
use crate::egress::Rate;
use crate::pipeline::SyncOptions;
use crate::secrets::{Secret, SecretSet};
use crate::store::sqlite::SqliteStore;
use crate::store::{AssetFilter, FindingFilter, Severity, Store};

/// Large enough to look real, small enough to be done in seconds.
const ENDPOINTS: usize = 250;
const ALERTS: usize = 500;
const CVES: usize = 60;

/// How many assets and findings are shown.
const SAMPLE: u64 = 6;

/// The names that the demonstration uses.
const TENANT: &str = "demo";
const CONNECTION: &str = "simulated";

/// Runs it.
pub async fn run(context: &Context, args: &DemoArgs) -> CommandResult {
    // Dropped at the end, and with it all that the demonstration wrote.
    let temporary = match &args.keep {
        None => Some(tempfile::tempdir().map_err(|error| {
            Failure::new(
                Exit::Store,
                format!("no temporary directory can be made: {error}"),
            )
            .remedy("make room where temporary files go, or give a directory with --keep")
        })?),
        Some(_) => None,
    };
    let data = temporary
        .as_ref()
        .map(|folder| folder.path().to_owned())
        .or_else(|| args.keep.clone());
    let context = context.with_data(data);
    let ended = show(&context, args.keep.as_ref()).await;
    drop(temporary);
    ended
}

async fn show(context: &Context, keep: Option<&PathBuf>) -> CommandResult {
    let output = &context.output;
    let title = |text: &str| -> Result<(), Failure> {
        if !output.json() {
            output.line(bold(text, output.style().colour))?;
        }
        output.flush()
    };
    let options = Options {
        endpoints: ENDPOINTS,
        alerts: ALERTS,
        cves: CVES,
        ..Options::default()
    };
    let simulator = simulate::start(options, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    title(&format!(
        "A simulated tenant with {ENDPOINTS} endpoints and {ALERTS} alerts listens on {}",
        simulator.url()
    ))?;
    let desk = context.desk(&PaceArgs::default()).await?;

    title("\nConnecting: configure, test, save")?;
    let tenant = name(TenantName::new(TENANT))?;
    let connection = name(ConnectionName::new(CONNECTION))?;
    if let Some(keep) = keep
        && desk.stores.tenants()?.contains(&tenant)
    {
        return Err(Failure::new(
            Exit::Input,
            format!("{} holds a demonstration already", keep.display()),
        )
        .remedy("give another directory with --keep, or remove that one"));
    }
    connect(context, &desk, &simulator, &tenant, &connection).await?;

    title("\nSyncing")?;
    let session = session(&desk, &tenant, &connection, &[], Rate::Unlimited).await?;
    let ended = sync::all(context, &desk, &session, &SyncOptions::default(), 0, None).await?;
    let samples = samples(context, &session.store).await?;
    if output.json() {
        output.document(&json!({
            "simulator": {"url": simulator.url(), "endpoints": ENDPOINTS, "alerts": ALERTS, "cves": CVES},
            "runs": sync::documents(&ended, CONNECTION),
            "process": sync::process(),
            "assets": samples.0,
            "findings": samples.1,
        }))?;
    } else {
        output.line(next(keep))?;
    }
    simulator.shutdown().await;
    ended.failure.map_or(Ok(Exit::Success), Err)
}

fn name<T, E: std::fmt::Display>(name: Result<T, E>) -> Result<T, Failure> {
    name.map_err(|error| Failure::new(Exit::Internal, error.to_string()))
}

async fn connect(
    context: &Context,
    desk: &Desk,
    simulator: &Simulator,
    tenant: &TenantName,
    connection: &ConnectionName,
) -> Result<(), Failure> {
    let mut config = simulate::configuration(simulator);
    if let Some(object) = config.as_object_mut() {
        object.insert(
            "dataStreams".to_owned(),
            json!(["endpoints", "alerts", "vulnerabilities"]),
        );
        object.insert("autoOnboardAssets".to_owned(), Value::Bool(true));
    }
    let secrets: SecretSet = [(
        "apiKey".to_owned(),
        Secret::new(simulator.api_key().to_owned()),
    )]
    .into_iter()
    .collect();
    let request = ConnectRequest {
        tenant: tenant.clone(),
        name: connection.clone(),
        description: Some("the demonstration's simulated tenant".to_owned()),
        typed: TypedConfig::new(config, secrets, &desk.plugin.manifest().secret_fields())?,
        maps: Vec::new(),
        allow_loopback: true,
        leave_out_users: false,
        skip_test: false,
        rate: Rate::Unlimited,
        way_out: WayOutChange::default(),
    };
    service::connect(desk, request, &Telling::new(Arc::clone(&context.output))).await?;
    Ok(())
}

/// Shows a few assets and findings, the worst findings first. Their documents are for `--json`.
async fn samples(
    context: &Context,
    store: &SqliteStore,
) -> Result<(Vec<Value>, Vec<Value>), Failure> {
    let (output, now) = (&context.output, context.now());
    let filter = AssetFilter {
        limit: Some(SAMPLE),
        ..AssetFilter::default()
    };
    let assets: Vec<_> = store.assets(&filter).try_collect().await?;
    let mut findings = Vec::new();
    for severity in Severity::ALL.into_iter().rev() {
        let room = SAMPLE.saturating_sub(findings.len() as u64);
        if room == 0 {
            break;
        }
        let filter = FindingFilter {
            severities: vec![severity],
            limit: Some(room),
            ..FindingFilter::default()
        };
        let found: Vec<_> = store.findings(&filter).try_collect().await?;
        findings.extend(found);
    }
    if !output.json() {
        let colour = output.style().colour;
        let mut table = asset::table(false);
        assets
            .iter()
            .for_each(|each| asset::row(&mut table, each, false, now));
        output.line(format!(
            "{}\n{}\n",
            bold("Some of the assets", colour),
            table.render()
        ))?;
        let mut table = finding::table(false);
        findings
            .iter()
            .for_each(|each| finding::row(&mut table, each, false, now));
        output.line(format!(
            "{}\n{}\n",
            bold("The worst of the findings", colour),
            table.render()
        ))?;
    }
    Ok((
        assets.into_iter().map(|asset| asset.body).collect(),
        findings.into_iter().map(|finding| finding.body).collect(),
    ))
}

fn next(keep: Option<&PathBuf>) -> String {
    match keep {
        Some(keep) => {
            let data = keep.display();
            format!(
                "Kept in {data}. What to type next:\n  \
                 host-runner findings --tenant {TENANT} --severity critical --data {data}\n  \
                 host-runner status {CONNECTION} --tenant {TENANT} --data {data}\n  \
                 host-runner runs --tenant {TENANT} --data {data}\n  \
                 host-runner assets --tenant {TENANT} --json --data {data}"
            )
        }
        None => "Nothing was left behind. What to type next:\n  \
                 host-runner demo --keep ./demo-data    the same, to look around in afterwards\n  \
                 host-runner inspect                    all that the connector can do, and how to make a key for it\n  \
                 host-runner simulate                   a tenant of your own to connect to\n  \
                 host-runner connect --help             connect a real one"
            .to_owned(),
    }
}
