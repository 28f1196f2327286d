//! Alerts of the sources that the configuration leaves out: one request for each source.
//!
//! The API can filter by source and not by status, so the newest page tells how many are open: all of them where the page holds all.

use super::ask::Asker;
use super::spot::{Count, MOST_COUNTED, Unknown, counted, example, grouped};
use crate::api::{PAGE_RECORDS, Page};
use crate::configure::{DataStream, KNOWN_ALERT_SOURCES, Settings};
use crate::contract::BlindSpot;
use crate::describe::Call;
use crate::platform::Platform;
use crate::record::{AlertState, alert_state};
use serde_json::Value;
use std::collections::BTreeSet;

/// Alerts of other vendors bear "vendor - product" as their source: those that the newest alerts name are asked for too, at most so many.
const MOST_FOREIGN: usize = 20;

/// Names of alerts that are shown of one source.
const EXAMPLES: usize = 3;

const OTHERS: &str = "alerts from sources without a name here";
const REMEDY: &str = "Add the source to alertSources where its alerts matter.";

/// Counts the alerts of each source that is left out. Sources without any are not listed.
pub async fn find<P: Platform>(
    asker: &mut Asker<P>,
    settings: &Settings,
    spots: &mut Vec<BlindSpot>,
) {
    let chosen: Vec<String> = if settings.data_streams.contains(&DataStream::Alerts) {
        settings.alert_sources.iter().cloned().collect()
    } else {
        Vec::new()
    };
    let newest = asker.newest_alerts(&[]).await;
    if let Err(unknown) = &newest
        && asker.gave_up(Call::GetAlertsMultiEvents)
    {
        return spots.push(unknown.clone().of("alerts from sources that are left out"));
    }
    let mut foreign = BTreeSet::new();
    // Of the page only this is kept: the next one takes its room.
    let all = newest.map(|page| {
        foreign = foreign_sources(&page, &chosen);
        Count::of(&page, PAGE_RECORDS)
    });
    let known = KNOWN_ALERT_SOURCES
        .into_iter()
        .filter(|known| !chosen.iter().any(|source| source == known))
        .map(str::to_owned);
    // Alerts whose source could be named; none as soon as one of the counts is not exact.
    let mut named = Some(0);
    for source in known.chain(foreign) {
        let answer = asker.newest_alerts(std::slice::from_ref(&source)).await;
        match answer {
            Ok(page) => {
                named = added(named, Count::of(&page, PAGE_RECORDS));
                spots.extend(of_source(&source, &page));
            }
            Err(unknown) if asker.gave_up(Call::GetAlertsMultiEvents) => {
                return spots.push(unknown.of("alerts from the remaining sources"));
            }
            Err(unknown) => {
                named = None;
                spots.push(unknown.of(format!("open alerts from {source}")));
            }
        }
    }
    spots.extend(match all {
        Ok(all) => of_others(asker, &chosen, all, named).await,
        Err(unknown) => Some(unknown.of(OTHERS)),
    });
}

/// Sources that the newest alerts name, and neither the vendor's documentation nor the configuration does.
fn foreign_sources(newest: &Page, chosen: &[String]) -> BTreeSet<String> {
    let mut foreign = BTreeSet::new();
    for alert in &newest.records {
        let Some(source) = alert.get("source").and_then(Value::as_str) else {
            continue;
        };
        let known = KNOWN_ALERT_SOURCES
            .into_iter()
            .chain(chosen.iter().map(String::as_str))
            .any(|known| known.eq_ignore_ascii_case(source));
        if !known && !source.trim().is_empty() && foreign.len() < MOST_FOREIGN {
            foreign.insert(source.to_owned());
        }
    }
    foreign
}

/// What is left out of one source, none where there is nothing or all of it is resolved.
fn of_source(source: &str, page: &Page) -> Option<BlindSpot> {
    let all = Count::of(page, PAGE_RECORDS);
    let mut open = 0;
    let mut examples: Vec<String> = Vec::new();
    for alert in page.records.iter().filter(|alert| is_open(alert)) {
        open += 1;
        if examples.len() < EXAMPLES
            && let Some(name) = example(alert, &["name"])
            && !examples.contains(&name)
        {
            examples.push(name);
        }
    }
    let seen = page.records.len() as u64;
    let spot = if all.number <= seen && !all.or_more {
        let open = Count {
            number: open,
            or_more: false,
        };
        if open.number == 0 {
            return None;
        }
        let detail = format!("Of {} in any status.", grouped(all.number));
        counted(format!("open alerts from {source}"), open, detail, REMEDY)
    } else {
        let verb = if open == 1 { "is" } else { "are" };
        let detail = format!("Of the newest {seen}, {open} {verb} open.");
        let name = format!("alerts from {source} in any status");
        counted(name, all, detail, REMEDY)
    };
    Some(BlindSpot { examples, ..spot })
}

/// What no request by source can find: alerts without a source, and of sources whose name is not known. Told where all counts are exact;
/// otherwise it is said that nothing can be said.
async fn of_others<P: Platform>(
    asker: &mut Asker<P>,
    chosen: &[String],
    all: Count,
    named: Option<u64>,
) -> Option<BlindSpot> {
    let uncounted = Unknown {
        detail: format!(
            "The API counts no further than {}, so what is of no known source can't be told by subtraction.",
            grouped(MOST_COUNTED)
        ),
        remedy: "Look in the console for alerts without a source, or of another vendor; alertSources takes their names as they stand there.".to_owned(),
    };
    if all.or_more || named.is_none() {
        return Some(uncounted.of(OTHERS));
    }
    let named = if chosen.is_empty() {
        named
    } else {
        match asker.newest_alerts(chosen).await {
            Ok(page) => added(named, Count::of(&page, PAGE_RECORDS)),
            Err(unknown) => return Some(unknown.of(OTHERS)),
        }
    };
    let Some(named) = named else {
        return Some(uncounted.of(OTHERS));
    };
    let number = all.number.saturating_sub(named);
    if number == 0 {
        return None;
    }
    let count = Count {
        number,
        or_more: false,
    };
    let detail = format!(
        "In any status: of {} alerts in all, {} are of sources that can be asked for.",
        grouped(all.number),
        grouped(named.min(all.number))
    );
    Some(counted(OTHERS, count, detail, &uncounted.remedy))
}

/// A status that nobody told us is not a resolved one.
fn is_open(alert: &Value) -> bool {
    let status = alert.get("resolution_status").and_then(Value::as_str);
    alert_state(status.unwrap_or_default()) != AlertState::Resolved
}

fn added(sum: Option<u64>, count: Count) -> Option<u64> {
    let sum = sum?;
    (!count.or_more).then(|| sum.saturating_add(count.number))
}
