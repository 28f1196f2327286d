//! Queries as conditions of SQL. Texts of a query are bound, never written into a statement: what is written are fragments that stand in
//! this folder, and numbers.
//!
//! Each field becomes one `EXISTS` over the values that it has, whatever their number and places, so that each condition is true or
//! false and never null, and `not` is the opposite. It reads rows of one asset or finding, by index; the whole is one pass over the
//! table.
//!
//! The names that conditions use: `a` the asset, `f` the finding, `r` its record, `s` its stream.

mod compare;
mod places;
mod sql;

use self::compare::{moments, numbers, patterns, severities, states};
use self::places::{Place, Values, document};
use self::sql::Sql;
use crate::query::{
    AssetLeaf, AssetQuery, AssetTest, At, FieldTest, FindingLeaf, FindingQuery, FindingTest, Tree,
    asks_for_state,
};

pub(super) use self::sql::Condition;

/// A condition on `a`. Its parameters are numbered from `first`.
pub(super) fn of_assets(query: Option<&AssetQuery>, first: usize) -> Condition {
    let mut sql = Sql::new(first);
    match query {
        Some(query) => tree(&query.0, asset_leaf, &mut sql),
        None => sql.push("TRUE"),
    }
    sql.done()
}

/// A condition on `f`, `r`, `s`, and on `a`, whose columns are null where there is no asset. Its parameters are numbered from `first`.
pub(super) fn of_findings(query: Option<&FindingQuery>, first: usize) -> Condition {
    let mut sql = Sql::new(first);
    match query {
        Some(query) => tree(&query.0, finding_leaf, &mut sql),
        None => sql.push("TRUE"),
    }
    sql.done()
}

fn tree<T>(whole: &Tree<T>, leaf: fn(&T, &mut Sql), sql: &mut Sql) {
    match whole {
        Tree::Is(test) => leaf(test, sql),
        Tree::Not(inner) => {
            sql.push("NOT (");
            tree(inner, leaf, sql);
            sql.push(")");
        }
        Tree::All(trees) => sql.each(trees.iter(), " AND ", |part, sql| tree(part, leaf, sql)),
        Tree::Any(trees) => sql.each(trees.iter(), " OR ", |part, sql| tree(part, leaf, sql)),
    }
}

fn asset_leaf(leaf: &AssetLeaf, sql: &mut Sql) {
    match leaf {
        AssetLeaf::Asset(test) => asset(test, sql),
        AssetLeaf::AnyFinding(inner) => {
            // The joins are left, so that SQLite leaves out those that nothing asks for.
            sql.push(
                "EXISTS (SELECT 1 FROM findings AS f LEFT JOIN streams AS s ON s.id = f.stream_id
                    LEFT JOIN records AS r ON r.id = f.record_id WHERE f.asset_id = a.id AND ",
            );
            if !asks_for_state(inner) {
                sql.push("f.state = 0 AND ");
            }
            tree(inner, finding_leaf, sql);
            sql.push(")");
        }
    }
}

fn finding_leaf(leaf: &FindingLeaf, sql: &mut Sql) {
    match leaf {
        FindingLeaf::Asset(test) => asset(test, sql),
        FindingLeaf::Finding(FindingTest::Field(test)) => field(test, sql),
        FindingLeaf::Finding(FindingTest::Severity(test)) => severities(test, sql),
        FindingLeaf::Finding(FindingTest::State(test)) => states(test, sql),
    }
}

fn asset(test: &AssetTest, sql: &mut Sql) {
    match test {
        AssetTest::Field(test) => field(test, sql),
        AssetTest::State(test) => states(test, sql),
    }
}

fn field<X: Place, M: Place<Subject = X::Subject>>(test: &FieldTest<X, M>, sql: &mut Sql) {
    match test {
        FieldTest::Text(at, test) => {
            among::<X>(at, Values::Texts, sql);
            patterns(test.as_ref(), sql);
        }
        FieldTest::Time(at, test) => {
            among::<M>(at, Values::Times, sql);
            moments(test, sql);
        }
        FieldTest::Number(At::Document(path), test) => {
            sql.push("EXISTS (SELECT 1 FROM (");
            document::<X::Subject>(path.names(), Values::Numbers, sql);
            sql.push(") AS x WHERE ");
            numbers(test, sql);
        }
        FieldTest::Number(At::Field(_, places), test) => {
            sql.push("EXISTS (SELECT 1 FROM (");
            sql.each_plain(places.iter(), " UNION ALL ", |place, sql| {
                document::<X::Subject>(place.0.split('.'), Values::Numbers, sql);
            });
            sql.push(") AS x WHERE ");
            numbers(test, sql);
        }
    }
    sql.push(")");
}

/// Opens an `EXISTS` over a field's values, as `x.v`; what is asked of them follows.
fn among<P: Place>(at: &At<P>, values: Values, sql: &mut Sql) {
    sql.push("EXISTS (SELECT 1 FROM (");
    match at {
        At::Field(_, places) => {
            sql.each_plain(places.iter(), " UNION ALL ", |place, sql| place.select(sql));
        }
        At::Document(path) => document::<P::Subject>(path.names(), values, sql),
    }
    sql.push(") AS x WHERE ");
}
