//! `status`: a connection's card, from what is kept alone.

use serde_json::{Value, json};

use crate::cli::args::{PaceArgs, StatusArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain::reinstate;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human::{self, count};
use crate::cli::table::{Card, Table, bold};
use crate::cli::view::connection as view;
use crate::cli::view::run as run_view;
use crate::cli::view::way_out;
use crate::connection::{ConnectionError, custom_fields};
use crate::domain::{DataStreamName, Mode, RunState, TenantName, Timestamp};
use crate::model::Model;
use crate::pipeline::{Chosen, Due, ModeChoice, choose, full_due, making};
use crate::store::sqlite::SqliteStore;
use crate::store::{
    Connection, Doubts, DueRecords, FinishedSync, Run, RunFilter, Store, StoreError, Summary,
    SyncHistory,
};

/// All that the card shows.
struct Status {
    connection: Connection,
    tenant: TenantName,
    /// The latest run of each chosen data stream, in the order of reading.
    latest: Vec<Run>,
    summary: Summary,
    doubts: Doubts,
    /// The tenant's custom fields.
    custom_fields: Vec<String>,
    /// What each data stream's syncs were and the next one will be.
    next: Vec<Next>,
    now: Timestamp,
}

/// A data stream's syncs.
struct Next {
    stream: DataStreamName,
    /// What the next one will be, and why.
    chosen: Chosen,
    history: SyncHistory,
    full_due: Option<Timestamp>,
    /// Kept records whose documents the next sync makes anew first.
    to_remake: u64,
}

/// Runs it.
pub async fn run(context: &Context, args: &StatusArgs) -> CommandResult {
    let named = &args.connection;
    let store = context.stores()?.open(&named.tenant).await?;
    let connection = store.connection(&named.name).await?;
    let status = Status {
        latest: latest(&store, &connection, context.now()).await?,
        summary: store.summary(connection.id).await?,
        doubts: store.doubts(Some(connection.id)).await?,
        custom_fields: store.custom_fields().await?,
        next: next(context, &store, &connection).await?,
        connection,
        tenant: named.tenant.clone(),
        now: context.now(),
    };
    let output = &context.output;
    if output.json() {
        output.document(&status.document())?;
        return Ok(Exit::Success);
    }
    let colour = output.style().colour;
    output.line(status.card().render(colour))?;
    if !status.latest.is_empty() {
        let runs: Vec<(Run, String)> = status
            .latest
            .iter()
            .map(|run| (run.clone(), status.connection.name.to_string()))
            .collect();
        output.line(format!(
            "\n{}\n{}",
            bold("Last sync of each data stream", colour),
            run_view::table(&runs, status.now).render()
        ))?;
        output.line(format!(
            "\n{}\n{}",
            bold("Syncs of each data stream", colour),
            status.syncs().render()
        ))?;
        output.line(format!(
            "\n{}\n{}",
            bold("Held now", colour),
            status.held().render()
        ))?;
    }
    Ok(Exit::Success)
}

/// What the next sync of each data stream will be, as `sync` will choose it.
async fn next(
    context: &Context,
    store: &SqliteStore,
    connection: &Connection,
) -> Result<Vec<Next>, Failure> {
    // What the component reads incrementally stands in its manifest alone. Where it is not at hand, a full sync is what is certain.
    let plugin = match context.plugin_alone(&PaceArgs::default()).await {
        Ok(plugin) if plugin.manifest().name == connection.component.name => Some(plugin),
        _ => None,
    };
    let switches = Model::by_name(&connection.target)
        .map_err(ConnectionError::from)?
        .switches(&connection.policy);
    let custom_fields = store.custom_fields().await?;
    let mut next = Vec::new();
    for stream in &connection.data_streams {
        let history = store.sync_history(connection.id, stream).await?;
        let incremental = plugin
            .as_ref()
            .and_then(|plugin| plugin.manifest().data_stream(stream.as_str()))
            .is_some_and(|declared| declared.incremental);
        let made_with = connection
            .maps
            .get(stream)
            .map(|map| {
                making(
                    map,
                    &connection.component.sha256,
                    switches,
                    &custom_fields,
                    connection.leave_out_users,
                )
            })
            .unwrap_or_default();
        let to_remake = store
            .due(&DueRecords {
                connection: connection.id,
                stream,
                made_with: &made_with,
                after: 0,
                limit: 0,
            })
            .await?
            .records;
        let due = Due::of(
            connection,
            stream,
            ModeChoice::Auto,
            incremental,
            made_with,
            context.now(),
        );
        let chosen =
            choose(&history, &due).map_err(|reason| Failure::new(Exit::Internal, reason))?;
        next.push(Next {
            stream: stream.clone(),
            chosen,
            full_due: full_due(connection, &history),
            to_remake,
            history,
        });
    }
    Ok(next)
}

/// The latest run of each stream. One that a killed process left under way is marked failed first: where nobody holds the
/// connection, nothing is running.
async fn latest(
    store: &SqliteStore,
    connection: &Connection,
    now: Timestamp,
) -> Result<Vec<Run>, Failure> {
    let mut latest = read(store, connection).await?;
    if latest.iter().any(|run| !run.state.is_final()) {
        match store.lock(connection.id, now).await {
            Ok(lock) => {
                drop(lock);
                latest = read(store, connection).await?;
            }
            Err(StoreError::Busy { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(latest)
}

async fn read(store: &SqliteStore, connection: &Connection) -> Result<Vec<Run>, Failure> {
    let mut latest = Vec::new();
    for stream in &connection.data_streams {
        let filter = RunFilter {
            connection: Some(connection.id),
            stream: Some(stream.clone()),
            syncs_only: true,
            limit: Some(1),
        };
        latest.extend(store.runs(&filter).await?);
    }
    Ok(latest)
}

impl Status {
    fn running(&self) -> Option<&Run> {
        self.latest.iter().find(|run| !run.state.is_final())
    }

    fn last(&self) -> Option<&Run> {
        self.latest
            .iter()
            .filter(|run| run.state.is_final())
            .max_by_key(|run| run.started_at)
    }

    /// The state of the whole: running where a stream is, else the worst of the streams' last.
    fn state(&self) -> Option<RunState> {
        let rank = |state: &RunState| match state {
            RunState::Running => 5,
            RunState::Queued => 4,
            RunState::Failed => 3,
            RunState::Cancelled => 2,
            RunState::Withheld => 1,
            RunState::Processed => 0,
        };
        self.latest.iter().map(|run| run.state).max_by_key(rank)
    }

    /// What the next sync will be, and why: in one line where that is the same for all data streams.
    fn next(&self) -> Vec<String> {
        let told = |chosen: &Chosen| format!("{} ({})", chosen.mode, chosen.reason);
        match self.next.split_first() {
            Some((first, rest)) if rest.iter().all(|other| other.chosen == first.chosen) => {
                vec![told(&first.chosen)]
            }
            _ => self
                .next
                .iter()
                .map(|next| format!("{}: {}", next.stream, told(&next.chosen)))
                .collect(),
        }
    }

    /// What the next sync makes anew before its first request.
    fn to_remake(&self) -> Vec<String> {
        self.next
            .iter()
            .filter(|next| next.to_remake > 0)
            .map(|next| {
                format!(
                    "{}: the documents of {}",
                    next.stream,
                    human::counted(next.to_remake, "kept record")
                )
            })
            .collect()
    }

    fn next_document(&self) -> Value {
        let full = self
            .next
            .iter()
            .find(|next| next.chosen.mode == Mode::Full)
            .or(self.next.first());
        let began =
            |sync: &Option<FinishedSync>| sync.as_ref().map(|sync| sync.started_at.to_rfc3339());
        json!({
            "type": full.map(|next| next.chosen.mode),
            "reason": full.map(|next| &next.chosen.reason),
            "streams": self.next.iter().map(|next| json!({
                "stream": next.stream,
                "type": next.chosen.mode,
                "reason": next.chosen.reason,
                "lastFull": began(&next.history.last_complete_full),
                "lastIncremental": began(&next.history.last_incremental),
                "toRemake": next.to_remake,
                "nextFullDue": next.full_due.map(|due| due.to_rfc3339()),
            })).collect::<Vec<_>>(),
        })
    }

    fn card(&self) -> Card {
        let connection = &self.connection;
        let run = |run: &Run, since: Timestamp| {
            format!(
                "{} of {}, {}",
                run_view::kind(run),
                run.stream,
                human::moment_and_distance(self.now, since)
            )
        };
        let (update, onboard) = view::switches(connection);
        let mut card = Card::new(format!("{} of tenant {}", connection.name, self.tenant));
        card.row_if(
            "description",
            (!connection.description.is_empty()).then_some(&connection.description),
        )
        .row(
            "state",
            self.state().map_or("never synced", RunState::as_str),
        )
        .row_if(
            "set aside",
            connection.set_aside.as_ref().map(|set_aside| {
                format!(
                    "{}: {set_aside}\n{}",
                    human::moment_and_distance(self.now, set_aside.at),
                    reinstate(&self.tenant, &connection.name, set_aside.run)
                )
            }),
        )
        .row_if(
            "running sync",
            self.running().map(|each| run(each, each.started_at)),
        )
        .row(
            "last sync",
            self.last().map_or_else(
                || "none yet".to_owned(),
                |each| {
                    format!(
                        "{}, {}",
                        each.state,
                        run(each, each.ended_at.unwrap_or(each.started_at))
                    )
                },
            ),
        )
        .row_if("failed for", self.last().and_then(run_view::fault))
        .lines("next sync", self.next())
        .lines("makes anew first", self.to_remake())
        .row("tested", view::tested(connection, self.now))
        .row("connector", self.component())
        .row("requests go to", view::origins(connection))
        .row_if(
            "through the proxy",
            connection.way_out.proxy.as_ref().map(way_out::proxy),
        )
        .lines("trusts besides", way_out::authorities(connection, self.now))
        .row("data streams", human::list(&connection.data_streams))
        .row("target", &connection.target)
        .lines("maps", self.maps())
        .row("updateExistingAssets", update.text(&connection.target))
        .row("autoOnboardAssets", onboard.text(&connection.target))
        .row_if(
            "users' names",
            connection
                .leave_out_users
                .then_some("left out of what is kept"),
        )
        .row_if(
            "full sync every",
            connection
                .policy
                .full_sync_every_days
                .map(|days| human::counted(u64::from(days), "day")),
        )
        .row(
            "assets",
            format!(
                "{} fed, {} of them onboarded; {} inactive",
                count(self.summary.assets),
                count(self.summary.assets_onboarded),
                count(self.summary.assets_inactive)
            ),
        )
        .lines("in doubt", self.in_doubt())
        .lines("custom fields", self.missing_fields())
        .row(
            "connected",
            human::moment_and_distance(self.now, connection.created_at),
        );
        card
    }

    /// What a person may want to look at, and how.
    fn in_doubt(&self) -> Vec<String> {
        let look = |number: u64, noun: &str, command: &str| {
            (number > 0).then(|| {
                format!(
                    "{}: host-runner assets {command} --tenant {}",
                    human::counted(number, noun),
                    self.tenant
                )
            })
        };
        [
            look(self.doubts.duplicates, "probable duplicate", "duplicates"),
            look(self.doubts.ambiguous, "ambiguous record", "ambiguous"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Custom fields that the maps ask for and that do not exist, with those that are nearly called so.
    fn missing_fields(&self) -> Vec<String> {
        let asked = custom_fields::asked(std::slice::from_ref(&self.connection));
        asked
            .into_keys()
            .filter(|name| !self.custom_fields.contains(name))
            .map(|name| match custom_fields::near(&name, &self.custom_fields) {
                Some(near) => format!(
                    "{name} is not written: there is {near}, which is not the same to the letter"
                ),
                None => format!(
                    "{name} is written where it exists: host-runner custom-fields add {} --tenant {}",
                    human::typed(&name),
                    self.tenant
                ),
            })
            .collect()
    }

    fn component(&self) -> String {
        let component = &self.connection.component;
        let sha256 = component.sha256.get(..12).unwrap_or(&component.sha256);
        format!(
            "{} {} (SHA-256 {sha256}...)",
            component.name, component.version
        )
    }

    fn maps(&self) -> Vec<String> {
        self.connection
            .maps
            .iter()
            .map(|(stream, map)| {
                let label =
                    run_view::map_label(&map.name, map.origin.number(), map.version.as_deref());
                format!("{stream}: {label}")
            })
            .collect()
    }

    /// When each data stream was last read whole, read for changes, and is to be read whole again.
    fn syncs(&self) -> Table {
        let began = |sync: &Option<FinishedSync>| match sync {
            Some(sync) => human::relative(self.now, sync.started_at),
            None => "never".to_owned(),
        };
        let mut table = Table::new(&[
            "STREAM",
            "LAST COMPLETE FULL",
            "LAST INCREMENTAL",
            "NEXT FULL DUE",
        ]);
        for next in &self.next {
            table.row([
                next.stream.to_string(),
                began(&next.history.last_complete_full),
                began(&next.history.last_incremental),
                match next.full_due {
                    Some(due) if due > self.now => human::moment_and_distance(self.now, due),
                    _ => "now".to_owned(),
                },
            ]);
        }
        table
    }

    fn held(&self) -> Table {
        let mut table = Table::new(&[
            "STREAM",
            ">OPEN",
            ">CLOSED",
            ">OUT OF SCOPE",
            ">PARKED",
            ">REJECTED",
            ">FINDINGS OPEN",
            ">FINDINGS CLOSED",
            ">FINDINGS OUT OF SCOPE",
            ">FINDINGS PARKED",
        ]);
        for stream in &self.summary.streams {
            table.row([
                stream.stream.to_string(),
                count(stream.records_open),
                count(stream.records_closed),
                count(stream.records_out_of_scope),
                count(stream.records_parked),
                count(stream.quarantined),
                count(stream.findings_open),
                count(stream.findings_closed),
                count(stream.findings_out_of_scope),
                count(stream.findings_parked),
            ]);
        }
        table
    }

    fn document(&self) -> Value {
        let name = self.connection.name.as_str();
        let run = |run: &Run| run_view::document(run, name);
        json!({
            "connection": view::document(&self.connection, &self.tenant),
            "state": self.state().map(RunState::as_str),
            "runningSync": self.running().map(run),
            "lastSync": self.last().map(run),
            "nextSync": self.next_document(),
            "streams": self.latest.iter().map(run).collect::<Vec<_>>(),
            "held": self.summary,
            "doubts": self.doubts,
            "customFields": self.custom_fields,
        })
    }
}
