//! Plays a case, from its first run to the last comparison.

use crate::case::Case;
use crate::changes::{self, Kind};
use crate::closings::{self, Since};
use crate::draw::Draw;
use crate::lane::Lane;
use cortex_xdr_simulator::{ChaosEntry, Options};
use cross_crate_tests::Rig;
use cross_crate_tests::truth::Truth;
use host_runner::domain::{Documents, Ledger, Mode, RunState};
use host_runner::pipeline::{self, ModeChoice, RunReport, SyncError, SyncOptions};
use host_runner::store::Verdict;
use std::time::Duration;

/// The longest back-off that is waited for.
const PATIENCE: Duration = Duration::from_millis(2);

/// How many full syncs of a healthy tenant may pass until one is proven complete and was begun when the tenant was healthy.
const RUNS_TO_SETTLE: u32 = 5;

/// More than an hour, and more than the hours between two sweeps of all endpoints.
const AN_HOUR: Duration = Duration::from_secs(61 * 60);
const MORE_THAN_A_SWEEP: Duration = Duration::from_secs(26 * 60 * 60);

/// Plays the case of a seed. The error says what is wrong, and how it came to it.
pub async fn case(seed: u64, lane: &Lane) -> Result<(), String> {
    let mut draw = Draw::new(seed);
    let case = Case::draw(&mut draw);
    lane.begin();
    let options = case.options.clone();
    let mut rig = Rig::with_plugin(lane.plugin.clone(), options, case.config.clone(), true).await;
    rig.patience = Some(PATIENCE);
    let mut play = Play {
        lane,
        since: Since::default(),
        rig,
        draw,
        told: Vec::new(),
    };
    play.whole(&case)
        .await
        .map_err(|what| play.complaint(&case, &what))
}

struct Play<'a> {
    lane: &'a Lane,
    rig: Rig,
    draw: Draw,
    /// The last moment at which the store was known to equal the tenant.
    since: Since,
    told: Vec<String>,
}

impl Play<'_> {
    async fn whole(&mut self, case: &Case) -> Result<(), String> {
        if self.draw.percent(70) {
            self.settle(case).await?;
        }
        let rounds = self.draw.between(1, 3);
        for _ in 0..rounds {
            self.faults(case).await?;
            self.settle(case).await?;
            self.nothing_changes(case).await?;
            self.changes_without_faults(case).await?;
        }
        Ok(())
    }

    /// Random runs while everything goes wrong: whatever they come to, nothing is closed that was open all along.
    async fn faults(&mut self, case: &Case) -> Result<(), String> {
        self.say(format!("chaos {}", case.chaos));
        self.rig.simulator.chaos().set(Some(case.chaos.clone()));
        for _ in 0..self.draw.between(3, 9) {
            let stream = *self.draw.one_of(&case.streams);
            let options = SyncOptions {
                mode: *self.draw.one_of(&[
                    ModeChoice::Auto,
                    ModeChoice::Auto,
                    ModeChoice::Full,
                    ModeChoice::Incremental,
                ]),
                restart: self.draw.percent(10),
                ..SyncOptions::default()
            };
            let cut = self.draw.percent(25).then(|| self.draw.between(1, 4));
            self.run(stream, options, cut).await?;
            self.no_false_closing().await?;
            if self.draw.percent(60) {
                self.change(Kind::Any, AN_HOUR);
            }
        }
        self.rig.simulator.chaos().stop();
        self.say("chaos stops".to_owned());
        Ok(())
    }

    /// Full syncs of a healthy tenant, removals confirmed, until each data stream has one that is complete: the store equals the tenant.
    async fn settle(&mut self, case: &Case) -> Result<(), String> {
        for stream in &case.streams {
            let mut runs = 0;
            loop {
                let report = self.run(stream, confirmed(), None).await?;
                let report = report.ok_or("a full sync was refused")?;
                let complete = matches!(report.verdict, Some(Verdict::Complete { .. }));
                // What was begun among faults is brought to its end first.
                if complete && !report.resumed {
                    break;
                }
                runs += 1;
                if self.proves_nothing(stream) {
                    // A tenant without a single row proves nothing.
                    break;
                }
                if runs == RUNS_TO_SETTLE {
                    return Err(format!(
                        "no full sync of {stream} is complete in {runs} runs"
                    ));
                }
            }
        }
        self.equals_the_tenant().await?;
        self.since = Since::now(&self.rig).await;
        Ok(())
    }

    /// An incremental sync of a tenant that stood still finds nothing to do.
    async fn nothing_changes(&mut self, case: &Case) -> Result<(), String> {
        for stream in &case.streams {
            if self.proves_nothing(stream) {
                continue;
            }
            let report = self.run(stream, incremental(), None).await?;
            let report = report.ok_or("an incremental sync was refused")?;
            let ledger = &report.ledger;
            let changes = [ledger.new, ledger.changed, ledger.closed, ledger.removed];
            if report.mode != Mode::Incremental
                || report.state != RunState::Processed
                || changes != [0; 4]
                || ledger.documents != Documents::default()
            {
                return Err(format!(
                    "an incremental sync of {stream} that has nothing to find"
                ));
            }
        }
        self.equals_the_tenant().await
    }

    /// What an incremental sync promises to see, it sees; the rest is seen by the next full one, and nothing is closed falsely until then.
    async fn changes_without_faults(&mut self, case: &Case) -> Result<(), String> {
        // An endpoint that is uninstalled is no longer scanned, and for its absence alone an incremental sync closes nothing.
        let kind = if case.streams.contains(&"vulnerabilities") {
            Kind::SeenInScans
        } else {
            Kind::SeenByIncremental
        };
        self.change(kind, MORE_THAN_A_SWEEP);
        for stream in &case.streams {
            let report = self.run(stream, incremental(), None).await?;
            let incremental = report.is_some_and(|report| report.mode == Mode::Incremental);
            if !incremental && !self.proves_nothing(stream) {
                return Err(format!("no incremental sync of {stream}"));
            }
        }
        self.no_false_closing().await?;
        self.equals_the_tenant().await?;
        self.since = Since::now(&self.rig).await;
        self.change(Kind::Any, MORE_THAN_A_SWEEP);
        for stream in &case.streams {
            self.run(stream, incremental(), None).await?;
            self.no_false_closing().await?;
        }
        self.settle(case).await
    }

    /// One run; none where the mode is not to be had. Its account adds up, however it ended.
    async fn run(
        &mut self,
        stream: &str,
        options: SyncOptions,
        cut: Option<usize>,
    ) -> Result<Option<RunReport>, String> {
        let asked = format!("{stream} {:?} cut after {cut:?}", options.mode);
        let mut job = self.rig.job(stream, options).await;
        if let Some(steps) = cut {
            job.observer = cross_crate_tests::stop_after(steps, job.cancel.clone());
        }
        let report = match pipeline::sync(&job).await {
            Ok(report) => report,
            Err(SyncError::Mode(why)) => {
                self.say(format!("{asked}: {why}"));
                return Ok(None);
            }
            Err(error) => return Err(format!("{asked}: {error}")),
        };
        let fault = report.fault.as_ref();
        self.say(format!(
            "{asked}: {} {:?}{} {:?} {} fault {:?} warnings {:?}",
            format_args!("{} ({})", report.mode, report.reason),
            report.state,
            if report.resumed { " resumed" } else { "" },
            report.verdict,
            counts(&report.ledger),
            fault.map(|fault| &fault.message),
            report.warnings,
        ));
        if report.ledger.adds_up() {
            Ok(Some(report))
        } else {
            Err("the account does not add up".to_owned())
        }
    }

    /// No scan at all looks like scans that were lost.
    fn proves_nothing(&self, stream: &str) -> bool {
        stream == "vulnerabilities" && self.rig.simulator.tenant().vulnerabilities().is_empty()
    }

    fn change(&mut self, kind: Kind, time: Duration) {
        let tenant = self.rig.simulator.tenant();
        let now = i64::try_from(self.lane.plugin.clock().now().as_ms()).unwrap();
        let changes = changes::make(&mut self.draw, &tenant, now, kind);
        self.lane.pass(&tenant, time);
        self.say(format!("{time:?} pass after {changes:#?}"));
    }

    async fn equals_the_tenant(&self) -> Result<(), String> {
        let truth = Truth::of(&self.rig.simulator.tenant(), &self.rig.connection);
        let differences = truth.differences(&self.rig.connection, &self.rig.store);
        none("the store is not as the tenant", &differences.await)
    }

    async fn no_false_closing(&self) -> Result<(), String> {
        let found = closings::false_ones(&self.rig, &self.since).await;
        none("closed falsely", &found)
    }

    fn say(&mut self, what: String) {
        self.told.push(what);
    }

    fn complaint(&self, case: &Case, what: &str) -> String {
        let Options {
            endpoints, alerts, ..
        } = case.options;
        let log = self.rig.simulator.chaos().log();
        let lines: Vec<String> = log.iter().map(ChaosEntry::to_string).collect();
        format!(
            "{endpoints} endpoints, {alerts} alerts, {}\n{}\nwhat the tenant did:\n{}\n{what}",
            closings::shown(&case.config),
            self.told.join("\n"),
            lines.join("\n"),
        )
    }
}

/// What is not zero in an account.
fn counts(ledger: &Ledger) -> String {
    let json = serde_json::to_value(ledger).unwrap();
    let counts = json.as_object().unwrap().iter();
    let told = counts.filter(|(_, count)| **count != 0 && **count != serde_json::json!({}));
    let told: Vec<String> = told
        .filter(|(name, _)| *name != "documents")
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    told.join(" ")
}

fn none(what: &str, found: &[String]) -> Result<(), String> {
    const SHOWN: usize = 10;
    if found.is_empty() {
        return Ok(());
    }
    let shown = found.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    Err(format!("{what} ({}):\n{}", found.len(), shown.join("\n")))
}

fn confirmed() -> SyncOptions {
    let mut options = SyncOptions {
        mode: ModeChoice::Full,
        ..SyncOptions::default()
    };
    options.guard.confirmed = true;
    options
}

fn incremental() -> SyncOptions {
    SyncOptions {
        mode: ModeChoice::Incremental,
        ..SyncOptions::default()
    }
}
