//! The three alert calls: which alerts a request selects. Their shapes are in [`super::alert_shape`].

use std::collections::HashSet;

use serde_json::Value;

use super::Context;
use super::alert_shape::write_alert;
use crate::json::Json;
use crate::options::AlertShape;
use crate::query::{Filter, Keywords, PageRequest, Span};
use crate::reply::Reply;
use crate::selection::Selection;
use crate::tenant::Tenant;
use crate::tenant::alert::{AlertProfile, AlertRow};
use crate::tenant::words::Word;

/// What `total_count` never exceeds ("if the filter returns more than 9,999 the total_count value returned will be 9,999").
pub const TOTAL_CAP: usize = 9_999;

/// Offsets beyond which no alert is served. The vendor says that paging goes on past the cap, two public connectors stop
/// here: rows up to this offset are served, none beyond (unconfirmed).
pub const OFFSET_CAP: usize = 10_000;

#[derive(Debug)]
struct Wanted {
    created: Span,
    inserted: Option<Span>,
    modified: Option<Span>,
    ids: Option<HashSet<u64>>,
    external_ids: Option<HashSet<String>>,
    sources: Option<Vec<Word>>,
    severities: Option<Vec<Word>>,
}

impl Wanted {
    fn read(tenant: &Tenant, filters: &[Filter]) -> Result<Self, String> {
        let mut wanted = Wanted {
            created: Span::ALL,
            inserted: None,
            modified: None,
            ids: None,
            external_ids: None,
            sources: None,
            severities: None,
        };
        for filter in filters {
            wanted.add(tenant, filter)?;
        }
        wanted.created = wanted.created.seconds_accepted();
        wanted.inserted = wanted.inserted.map(Span::seconds_accepted);
        wanted.modified = wanted.modified.map(Span::seconds_accepted);
        Ok(wanted)
    }

    fn add(&mut self, tenant: &Tenant, filter: &Filter) -> Result<(), String> {
        match filter.field.as_str() {
            "creation_time" => {
                filter.allow(&["gte", "lte"])?;
                filter.narrow(&mut self.created)
            }
            "server_creation_time" => {
                filter.allow(&["gte", "lte"])?;
                filter.narrow(self.inserted.get_or_insert(Span::ALL))
            }
            "last_modified_ts" => {
                filter.allow(&["gte", "lte"])?;
                filter.narrow(self.modified.get_or_insert(Span::ALL))
            }
            "alert_id_list" => {
                filter.allow(&["in"])?;
                let id = |text: String| {
                    text.parse().map_err(|_| {
                        format!("value of filter alert_id_list must be numbers, not {text}")
                    })
                };
                let ids = filter
                    .texts()?
                    .into_iter()
                    .map(id)
                    .collect::<Result<HashSet<u64>, String>>()?;
                self.ids = Some(both(self.ids.take(), ids));
                Ok(())
            }
            "external_id_list" => {
                filter.allow(&["in"])?;
                self.external_ids = Some(both(
                    self.external_ids.take(),
                    filter.texts()?.into_iter().collect(),
                ));
                Ok(())
            }
            "alert_source" => {
                filter.allow(&["in"])?;
                // Any text may be a source: unknown ones match nothing.
                let known =
                    |text: &String| tenant.alert_sources.find(text).filter(|_| !text.is_empty());
                let words: Vec<Word> = filter.texts()?.iter().filter_map(known).collect();
                self.sources = Some(common(self.sources.take(), words));
                Ok(())
            }
            "severity" => {
                filter.allow(&["in"])?;
                // "unknown" is documented on one page only and no generated alert has it.
                let known = |text: &str| match text {
                    "unknown" => Some(tenant.alert_severities.find(text).unwrap_or(Word::MAX)),
                    _ => tenant.alert_severities.find(text),
                };
                self.severities = Some(common(self.severities.take(), filter.words(known)?));
                Ok(())
            }
            _ => Err(filter.unknown()),
        }
    }

    fn by_index_alone(&self) -> bool {
        self.inserted.is_none()
            && self.modified.is_none()
            && self.ids.is_none()
            && self.external_ids.is_none()
            && self.sources.is_none()
            && self.severities.is_none()
    }

    fn matches(&self, tenant: &Tenant, row: &AlertRow) -> bool {
        let within = |span: Option<Span>, time: i64| span.is_none_or(|span| span.contains(time));
        let among = |words: &Option<Vec<Word>>, word: Word| {
            words.as_ref().is_none_or(|words| words.contains(&word))
        };
        within(self.inserted, row.inserted)
            && within(self.modified, row.modified)
            && among(&self.sources, row.source)
            && among(&self.severities, row.severity)
            && self.external_ids.as_ref().is_none_or(|ids| {
                ids.contains(&format!(
                    "{:032x}",
                    AlertProfile::derive(tenant.seed, row.serial).external_id
                ))
            })
    }
}

fn both<T: Eq + std::hash::Hash + Clone>(
    before: Option<HashSet<T>>,
    now: HashSet<T>,
) -> HashSet<T> {
    match before {
        Some(before) => before.intersection(&now).cloned().collect(),
        None => now,
    }
}

fn common(before: Option<Vec<Word>>, now: Vec<Word>) -> Vec<Word> {
    match before {
        Some(before) => now
            .into_iter()
            .filter(|word| before.contains(word))
            .collect(),
        None => now,
    }
}

fn select<'a>(
    context: &Context,
    tenant: &'a Tenant,
    page: &PageRequest,
) -> Result<Selection<'a>, String> {
    let wanted = Wanted::read(tenant, &page.filters)?;
    let (field, descending) = match &page.sort {
        Some(sort) => (sort.field.as_str(), sort.descending),
        None => ("creation_time", true),
    };
    if !["creation_time", "severity"].contains(&field) {
        return Err(format!("sorting by {field} is not supported"));
    }
    let part = wanted.created.slice(&tenant.by_creation);
    if field == "creation_time" && wanted.by_index_alone() {
        return Ok(Selection::Index { part, descending });
    }
    let find = || {
        let row = |at: u32| tenant.alerts.get(at as usize);
        let matches = |at: &u32| row(*at).is_some_and(|row| wanted.matches(tenant, row));
        let mut found: Vec<u32> = match &wanted.ids {
            Some(ids) => {
                let mut known: Vec<(i64, u32)> = ids
                    .iter()
                    .filter_map(|id| tenant.alert_row(*id))
                    .filter_map(|at| row(at).map(|row| (row.created, at)))
                    .filter(|(created, _)| wanted.created.contains(*created))
                    .collect();
                known.sort_unstable();
                known
                    .into_iter()
                    .map(|(_, at)| at)
                    .filter(matches)
                    .collect()
            }
            None => part.iter().map(|(_, at)| *at).filter(matches).collect(),
        };
        if field == "severity" {
            found.sort_by_key(|at| row(*at).map(|row| row.severity));
        }
        if descending {
            found.reverse();
        }
        found
    };
    Ok(Selection::Rows(context.selections.get_or(
        format!("alerts {}", page.key),
        tenant.revision,
        find,
    )))
}

/// One page of alerts in a shape.
pub fn get_alerts(context: &Context, body: &Value, shape: AlertShape) -> Reply {
    let tenant = context.tenant.read();
    let page = match PageRequest::read(body, Keywords::Lower) {
        Ok(page) => page,
        Err(reason) => return Reply::business(&reason),
    };
    let selection = match select(context, &tenant, &page) {
        Ok(selection) => selection,
        Err(reason) => return Reply::business(&reason),
    };
    let rows = selection.window(page.from.min(OFFSET_CAP), page.to.min(OFFSET_CAP));
    let mut json = Json::with_capacity(256 + rows.len() * 6_000);
    json.begin_object();
    json.key("reply");
    json.begin_object();
    super::counts(
        &mut json,
        context,
        selection.len().min(TOTAL_CAP),
        rows.len(),
    );
    json.key("alerts");
    json.begin_list();
    for at in rows {
        if let Some(row) = tenant.alerts.get(at as usize) {
            write_alert(&mut json, &tenant, row, shape);
        }
    }
    json.end_list();
    json.end_object();
    json.end_object();
    Reply::json(json.into_bytes())
}
