//! The values that stand in a place, as a `SELECT` of one column `v`.

use super::sql::{Sql, Step, Value};
use crate::query::{AssetText, AssetTime, FindingText, FindingTime};

/// What is wanted of the values in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    Texts,
    Times,
    Numbers,
}

/// The columns of what a place is of.
pub(super) trait Subject {
    const BODY: &'static str;
    /// What the platform fills in, as JSON, and the times that it knows.
    const PLACEHOLDERS: &'static str;
    const FIRST_SEEN: &'static str;
    const LAST_SEEN: &'static str;
    const CLOSED_AT: &'static str;
    /// Its state, by the word that reading it out has for it.
    const STATE: &'static str;
}

/// An asset, `a`.
pub(super) struct OfAsset;

impl Subject for OfAsset {
    const BODY: &'static str = "a.body";
    const PLACEHOLDERS: &'static str = "a.placeholders";
    const FIRST_SEEN: &'static str = "a.first_seen";
    const LAST_SEEN: &'static str =
        "coalesce((SELECT max(q.last_seen) FROM links AS l JOIN records AS q ON q.id = l.record_id
        WHERE l.asset_id = a.id), a.first_seen)";
    const CLOSED_AT: &'static str = "CASE a.state WHEN 1 THEN a.closed_at END";
    const STATE: &'static str =
        "CASE WHEN a.state = 1 THEN 'closed' WHEN a.state = 2 THEN 'out-of-scope'
        WHEN a.updated_at > a.first_seen THEN 'changed' ELSE 'new' END";
}

/// A finding, `f`, and its record, `r`.
pub(super) struct OfFinding;

impl Subject for OfFinding {
    const BODY: &'static str = "f.body";
    const PLACEHOLDERS: &'static str = "f.placeholders";
    const FIRST_SEEN: &'static str = "f.first_seen";
    const LAST_SEEN: &'static str = "coalesce(f.last_seen, r.last_seen)";
    const CLOSED_AT: &'static str = "CASE f.state WHEN 1 THEN f.closed_at END";
    const STATE: &'static str = "CASE WHEN f.state = 1 THEN 'closed' WHEN f.state = 2 THEN 'out-of-scope'
        WHEN f.reopened_at IS NOT NULL THEN 'reopened' WHEN f.updated_at > f.first_seen THEN 'changed' ELSE 'new' END";
}

/// Somewhere that a field's values stand.
pub(super) trait Place: Copy + 'static {
    type Subject: Subject;
    fn select(self, sql: &mut Sql);
}

impl Place for AssetText {
    type Subject = OfAsset;

    fn select(self, sql: &mut Sql) {
        match self {
            Self::HostName => sql.push("SELECT a.host_name AS v"),
            Self::Title => sql.push("SELECT a.title AS v"),
            Self::OnboardingSource => sql.push("SELECT a.onboarding_source AS v"),
            Self::FeedingSource => sql.push(
                "SELECT l.finding_source AS v FROM links AS l WHERE l.asset_id = a.id AND l.state = 0",
            ),
            // What was laid over an asset stays there when its source has it no more; only of one that a source brought it tells where it is from. An
            // asset whose values are not overwritten has none of them: the map says what its documents name. The inner table is made once.
            Self::VendorProduct => sql.push(
                "SELECT j.value ->> 1 AS v FROM json_each(a.facets) AS j WHERE j.value ->> 0 = 'vendor-product'
                     AND (a.created_by IS NOT NULL OR EXISTS (SELECT 1 FROM links AS l WHERE l.asset_id = a.id AND l.state = 0))
                 UNION ALL
                 SELECT d.product FROM links AS l CROSS JOIN (
                     SELECT DISTINCT b.id AS id,
                         CASE WHEN json_valid(m.value ->> 'body') THEN m.value ->> 'body' ->> '$.asset.facets.\"vendor-product\".constant' END AS product
                     FROM connections AS b CROSS JOIN json_each(b.document, '$.maps') AS m) AS d
                 WHERE l.asset_id = a.id AND l.state = 0 AND d.id = l.connection_id",
            ),
            Self::FindingSource => sql.push(
                "SELECT g.finding_source AS v FROM findings AS g WHERE g.asset_id = a.id AND g.state = 0",
            ),
            Self::FindingFacet(name) => {
                sql.push(
                    "SELECT j.value ->> 1 AS v FROM findings AS g CROSS JOIN json_each(g.facets) AS j
                     WHERE g.asset_id = a.id AND g.state = 0 AND j.value ->> 0 = ",
                );
                sql.text(name);
            }
            Self::Identity(name) => named("a.identity", name, sql),
            Self::Key => sql.push("SELECT l.key AS v FROM links AS l WHERE l.asset_id = a.id"),
            Self::Connection => sql.push(
                "SELECT c.name AS v FROM links AS l JOIN connections AS c ON c.id = l.connection_id WHERE l.asset_id = a.id",
            ),
            Self::Stream => sql.push(
                "SELECT t.name AS v FROM links AS l JOIN records AS q ON q.id = l.record_id JOIN streams AS t ON t.id = q.stream_id
                 WHERE l.asset_id = a.id",
            ),
            Self::Document(path) => document::<OfAsset>(path.split('.'), Values::Texts, sql),
            Self::Ipv4(path) => {
                sql.push("SELECT y.v AS v FROM (");
                document::<OfAsset>(path.split('.'), Values::Texts, sql);
                sql.push(") AS y WHERE y.v LIKE '%.%' AND y.v NOT LIKE '%:%'");
            }
            Self::Ipv6(path) => {
                sql.push("SELECT y.v AS v FROM (");
                document::<OfAsset>(path.split('.'), Values::Texts, sql);
                sql.push(") AS y WHERE y.v LIKE '%:%'");
            }
        }
    }
}

impl Place for FindingText {
    type Subject = OfFinding;

    fn select(self, sql: &mut Sql) {
        match self {
            Self::Title => sql.push("SELECT f.title AS v"),
            Self::HostName => sql.push(
                "SELECT coalesce(f.host_name, (SELECT h.host_name FROM assets AS h WHERE h.id = f.asset_id)) AS v",
            ),
            Self::FindingSource => sql.push("SELECT f.finding_source AS v"),
            Self::Key => sql.push("SELECT f.key AS v"),
            Self::Record => sql.push("SELECT r.key AS v"),
            Self::AssetKey => sql.push("SELECT f.asset_key AS v"),
            Self::Connection => {
                sql.push("SELECT c.name AS v FROM connections AS c WHERE c.id = f.connection_id");
            }
            Self::Stream => sql.push("SELECT s.name AS v"),
            Self::Facet(name) => named("f.facets", name, sql),
            Self::Document(path) => document::<OfFinding>(path.split('.'), Values::Texts, sql),
        }
    }
}

impl Place for AssetTime {
    type Subject = OfAsset;

    fn select(self, sql: &mut Sql) {
        match self {
            Self::FirstSeen => column(OfAsset::FIRST_SEEN, sql),
            Self::LastSeen => column(OfAsset::LAST_SEEN, sql),
            Self::InactiveSince => column(OfAsset::CLOSED_AT, sql),
            Self::Document(path) => document::<OfAsset>(path.split('.'), Values::Times, sql),
        }
    }
}

impl Place for FindingTime {
    type Subject = OfFinding;

    fn select(self, sql: &mut Sql) {
        match self {
            Self::FirstSeen => column(OfFinding::FIRST_SEEN, sql),
            Self::LastSeen => column(OfFinding::LAST_SEEN, sql),
            Self::ClosedAt => column(OfFinding::CLOSED_AT, sql),
            Self::ReopenedAt => column("f.reopened_at", sql),
            Self::Document(path) => document::<OfFinding>(path.split('.'), Values::Times, sql),
            Self::SaidWith(path, beside) => said(path, beside, " IS NOT NULL", sql),
            Self::SaidWithout(path, beside) => said(path, beside, " IS NULL", sql),
        }
    }
}

/// Times that stand in a finding's document itself, by whether something stands in another place.
fn said(path: &'static str, beside: &'static str, stands: &'static str, sql: &mut Sql) {
    sql.push("SELECT y.v AS v FROM (");
    written::<OfFinding>(path.split('.'), Values::Times, sql);
    sql.push(") AS y WHERE json_type(");
    sql.push(OfFinding::BODY);
    sql.push(", ");
    let names: String = beside.split('.').map(member).collect();
    sql.text(format!("${names}"));
    sql.push(")");
    sql.push(stands);
}

fn column(column: &'static str, sql: &mut Sql) {
    sql.push("SELECT ");
    sql.push(column);
    sql.push(" AS v");
}

/// The values of a name in a JSON list of [name, value].
fn named(list: &'static str, name: &'static str, sql: &mut Sql) {
    sql.push("SELECT j.value ->> 1 AS v FROM json_each(");
    sql.push(list);
    sql.push(") AS j WHERE j.value ->> 0 = ");
    sql.text(name);
}

/// The values at a path of a document as it is printed. Lists on the way and at the end are gone through; `*` is each member of an object.
pub(super) fn document<'p, S: Subject>(
    path: impl Iterator<Item = &'p str> + Clone,
    values: Values,
    sql: &mut Sql,
) {
    written::<S>(path.clone(), values, sql);
    sql.push(" UNION ALL ");
    filled_in::<S>(path, values, sql);
}

/// The values that stand there before the platform fills in its own. What it fills in takes the place of what stood there.
fn written<'p, S: Subject>(
    path: impl Iterator<Item = &'p str> + Clone,
    values: Values,
    sql: &mut Sql,
) {
    let way = Way::new(path.clone());
    sql.push("SELECT ");
    value(values, |sql| sql.step(way.last()), sql);
    sql.push(" AS v FROM ");
    way.walk::<S>(path.clone(), sql);
    if !path.clone().any(|name| name == "*") {
        sql.push(" WHERE NOT EXISTS (SELECT 1 FROM json_each(");
        sql.push(S::PLACEHOLDERS);
        sql.push(") AS p WHERE p.value ->> 'pointer' = ");
        sql.text(pointer(path));
        sql.push(")");
    }
}

/// What the platform fills in there, as it is printed: a time in one of two forms, or what the map has for the state.
fn filled_in<'p, S: Subject>(
    path: impl Iterator<Item = &'p str> + Clone,
    values: Values,
    sql: &mut Sql,
) {
    sql.push("SELECT ");
    value(values, |sql| sql.push("w"), sql);
    sql.push(" AS v FROM json_each(");
    sql.push(S::PLACEHOLDERS);
    sql.push(") AS p CROSS JOIN json_each('[' || CASE WHEN p.value ->> 'value' <> 'state' THEN json_quote(CASE p.value ->> 'format' WHEN 'epoch-ms' THEN ");
    time::<S>(sql);
    sql.push(" ELSE strftime('%Y-%m-%dT%H:%M:%fZ', ");
    time::<S>(sql);
    sql.push(" / 1000.0, 'unixepoch') END) WHEN json_valid(p.value ->> 'format') AND json_type(p.value ->> 'format') = 'object' THEN p.value ->> 'format' -> (");
    sql.push(S::STATE);
    sql.push(") ELSE json_quote(");
    sql.push(S::STATE);
    sql.push(") END || ']') AS w WHERE p.value ->> 'pointer' ");
    if path.clone().any(|name| name == "*") {
        // As many names, so that no `*` takes several.
        sql.push("GLOB ");
        let names = path.clone().map(globbed);
        sql.text(names.map(|name| format!("/{name}")).collect::<String>());
        sql.push(" AND length(p.value ->> 'pointer') - length(replace(p.value ->> 'pointer', '/', '')) = ");
        let names = i64::try_from(path.count()).unwrap_or(i64::MAX);
        sql.bind(Value::Whole(names));
    } else {
        sql.push("= ");
        sql.text(pointer(path));
    }
}

/// A value of `table`, a step of `json_each`, as it is compared; null where it is of another kind.
fn value(values: Values, table: impl Fn(&mut Sql), sql: &mut Sql) {
    match values {
        Values::Texts => {
            // Truth values by their words; a number as it is written. Of an object or a list `atom` is null.
            sql.push("CASE ");
            table(sql);
            sql.push(".type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(");
            table(sql);
            sql.push(".atom AS TEXT) END");
        }
        Values::Numbers => {
            sql.push("CASE WHEN ");
            table(sql);
            sql.push(".type IN ('integer', 'real') THEN CAST(");
            table(sql);
            sql.push(".atom AS REAL) END");
        }
        Values::Times => {
            sql.push("CASE WHEN ");
            table(sql);
            sql.push(".type = 'integer' THEN ");
            table(sql);
            sql.push(".atom WHEN ");
            table(sql);
            // `unixepoch` takes other texts for times as well, such as "now" and plain numbers.
            sql.push(".atom GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*' THEN CAST(round(1000 * unixepoch(");
            table(sql);
            sql.push(".atom, 'subsec')) AS INTEGER) END");
        }
    }
}

/// The time that the placeholder `p` stands for.
fn time<S: Subject>(sql: &mut Sql) {
    sql.push("(CASE p.value ->> 'value' WHEN 'first-seen' THEN ");
    sql.push(S::FIRST_SEEN);
    sql.push(" WHEN 'last-seen' THEN ");
    sql.push(S::LAST_SEEN);
    sql.push(" WHEN 'closed-at' THEN ");
    sql.push(S::CLOSED_AT);
    sql.push(" END)");
}

/// A path as JSON Pointer has it.
fn pointer<'p>(path: impl Iterator<Item = &'p str>) -> String {
    path.map(|name| format!("/{}", escaped(name))).collect()
}

/// A name of a pattern as `GLOB` takes it; `*` is any.
fn globbed(name: &str) -> String {
    if name == "*" {
        return name.to_owned();
    }
    let mut pattern = String::new();
    for c in escaped(name).chars() {
        match c {
            '*' | '?' | '[' => pattern.extend(['[', c, ']']),
            c => pattern.push(c),
        }
    }
    pattern
}

/// A name as JSON Pointer has it.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The steps from the top of a document to a value.
struct Way {
    steps: usize,
}

impl Way {
    fn new<'p>(path: impl Iterator<Item = &'p str>) -> Self {
        Self {
            // Each member and its elements are two steps.
            steps: path.map(|name| if name == "*" { 2 } else { 1 }).sum(),
        }
    }

    fn last(&self) -> Step {
        Step(self.steps.saturating_sub(1))
    }

    /// The tables, each made of the one before it.
    fn walk<'p, S: Subject>(&self, path: impl Iterator<Item = &'p str>, sql: &mut Sql) {
        let mut step = 0_usize;
        for name in path {
            if step > 0 {
                sql.push(" CROSS JOIN ");
            }
            let above = step.checked_sub(1).map(Step);
            if name == "*" {
                sql.push("json_each(CASE json_type(");
                object::<S>(above, sql);
                sql.push(") WHEN 'object' THEN ");
                object::<S>(above, sql);
                sql.push(" END) AS ");
                sql.step(Step(step));
                sql.push(" CROSS JOIN json_each(CASE ");
                sql.step(Step(step));
                sql.push(".type WHEN 'array' THEN ");
                sql.step(Step(step));
                sql.push(".value WHEN 'object' THEN NULL WHEN 'true' THEN '[true]' WHEN 'false' THEN '[false]' ELSE json_array(");
                sql.step(Step(step));
                sql.push(".atom) END) AS ");
                step += 1;
            } else {
                let label = sql.parameter(Value::Text(label(name)));
                sql.push("json_each(CASE json_type(");
                object::<S>(above, sql);
                sql.push(", ");
                sql.name(label);
                sql.push(") WHEN 'array' THEN ");
                object::<S>(above, sql);
                sql.push(" -> ");
                sql.name(label);
                sql.push(" ELSE '[' || (");
                object::<S>(above, sql);
                sql.push(" -> ");
                sql.name(label);
                sql.push(") || ']' END) AS ");
            }
            sql.step(Step(step));
            step += 1;
        }
    }
}

/// What the next step goes into: the document, or what the step before came to, where that is an object.
fn object<S: Subject>(above: Option<Step>, sql: &mut Sql) {
    match above {
        None => sql.push(S::BODY),
        Some(step) => {
            sql.push("(CASE ");
            sql.step(step);
            sql.push(".type WHEN 'object' THEN ");
            sql.step(step);
            sql.push(".value END)");
        }
    }
}

/// A name as SQLite's JSON functions take it.
fn label(name: &str) -> String {
    format!("${}", member(name))
}

/// A member of an object, in a path of theirs.
fn member(name: &str) -> String {
    format!(".\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
