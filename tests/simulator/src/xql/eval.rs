//! Carries a query out.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::parser::{Condition, Join, Query, Stage, Test};
use super::value::Value;

/// The most rows that a query may have on its way; beyond it would need more memory than a simulator should take.
const MAX_ROWS: usize = 20_000_000;

/// Rows of a query. A row is made of parts, so that a join shares the other side's values instead of copying them.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

/// A column: its name and where its value stands in a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: Arc<str>,
    part: usize,
    at: usize,
}

/// One row.
pub type Row = Box<[Part]>;

/// A part of a row.
#[derive(Clone, Debug)]
pub enum Part {
    Shared(Arc<[Value]>),
    One(Value),
}

static NULL: Value = Value::Null;

impl Column {
    /// The value of this column in a row.
    pub fn of<'a>(&self, row: &'a Row) -> &'a Value {
        match row.get(self.part) {
            Some(Part::Shared(values)) => values.get(self.at).unwrap_or(&NULL),
            Some(Part::One(value)) => value,
            None => &NULL,
        }
    }
}

impl Table {
    /// A table of rows with the same columns.
    pub fn new(columns: &[&str], rows: impl Iterator<Item = Vec<Value>>) -> Self {
        let column = |(at, name): (usize, &&str)| Column {
            name: (*name).into(),
            part: 0,
            at,
        };
        Table {
            columns: columns.iter().enumerate().map(column).collect(),
            rows: rows
                .map(|values| Box::from([Part::Shared(values.into())]))
                .collect(),
        }
    }

    fn column(&self, name: &str) -> Result<Column, String> {
        let found = self.columns.iter().find(|column| &*column.name == name);
        found
            .cloned()
            .ok_or_else(|| format!("unknown field {name}"))
    }
}

/// Which columns a query mentions; columns that are costly to make are left out when they are not wanted.
#[derive(Debug, Default)]
pub struct Mentioned(Option<HashSet<String>>);

impl Mentioned {
    fn by(query: &Query) -> Self {
        // Only a list of fields says that the rest is not wanted.
        let listed = query
            .stages
            .iter()
            .any(|stage| matches!(stage, Stage::Fields(_)));
        let mut names = HashSet::new();
        for stage in &query.stages {
            match stage {
                Stage::Filter(condition) => condition.mention(&mut names),
                Stage::Fields(fields) => names.extend(fields.iter().map(|(name, _)| name.clone())),
                Stage::Without(fields) => names.extend(fields.iter().cloned()),
                Stage::ArrayExpand(field) => {
                    names.insert(field.clone());
                }
                Stage::Join(join) => names.extend(join.on.iter().map(|(ours, _)| ours.clone())),
                Stage::Sort(fields) => names.extend(fields.iter().map(|(name, _)| name.clone())),
                Stage::Limit(_) => {}
            }
        }
        Mentioned(listed.then_some(names))
    }

    pub fn wants(&self, column: &str) -> bool {
        self.0.as_ref().is_none_or(|names| names.contains(column))
    }
}

impl Condition {
    fn mention(&self, names: &mut HashSet<String>) {
        match self {
            Condition::All(inner) | Condition::Any(inner) => {
                inner.iter().for_each(|condition| condition.mention(names));
            }
            Condition::Not(inner) => inner.mention(names),
            Condition::Is { field, .. } | Condition::In { field, .. } => {
                names.insert(field.clone());
            }
        }
    }
}

/// Gives the rows of a dataset, or says why not.
pub trait Source {
    fn load(&self, dataset: &str, mentioned: &Mentioned) -> Result<Table, String>;
}

/// Carries out a query. Returns its rows and how many were read from datasets for it.
pub fn run(query: &Query, source: &dyn Source) -> Result<(Table, usize), String> {
    let mut table = source.load(&query.dataset, &Mentioned::by(query))?;
    let mut read = table.rows.len();
    for stage in &query.stages {
        match stage {
            Stage::Filter(condition) => {
                let bound = Bound::new(condition, &table)?;
                table.rows.retain(|row| bound.holds(row));
            }
            Stage::Fields(fields) => {
                let column = |(name, new): &(String, String)| {
                    Ok(Column {
                        name: new.as_str().into(),
                        ..table.column(name)?
                    })
                };
                table.columns = fields.iter().map(column).collect::<Result<_, String>>()?;
            }
            Stage::Without(fields) => {
                fields
                    .iter()
                    .try_for_each(|name| table.column(name).map(drop))?;
                table
                    .columns
                    .retain(|column| !fields.iter().any(|name| **name == *column.name));
            }
            Stage::ArrayExpand(field) => table = expand(table, field)?,
            Stage::Join(on) => {
                let (other, more) = run(&on.query, source)?;
                read += more;
                table = join(table, &other, on)?;
            }
            Stage::Sort(fields) => sort(&mut table, fields)?,
            Stage::Limit(limit) => table.rows.truncate(*limit),
        }
        if table.rows.len() > MAX_ROWS {
            return Err(format!(
                "the query has more than {MAX_ROWS} rows on its way"
            ));
        }
    }
    Ok((table, read))
}

/// One row per item of a list; rows whose list is empty or null go.
fn expand(table: Table, field: &str) -> Result<Table, String> {
    let column = table.column(field)?;
    let part = table.rows.first().map_or(0, |row| row.len());
    let mut rows = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let items: &[Value] = match column.of(row) {
            Value::List(items) => items,
            Value::Null => &[],
            single => std::slice::from_ref(single),
        };
        for item in items {
            rows.push(
                row.iter()
                    .cloned()
                    .chain([Part::One(item.clone())])
                    .collect(),
            );
        }
        if rows.len() > MAX_ROWS {
            break;
        }
    }
    let moved = |known: Column| {
        if known == column {
            Column {
                part,
                at: 0,
                ..known
            }
        } else {
            known
        }
    };
    Ok(Table {
        columns: table.columns.into_iter().map(moved).collect(),
        rows,
    })
}

fn join(table: Table, other: &Table, on: &Join) -> Result<Table, String> {
    let ours = on
        .on
        .iter()
        .map(|(ours, _)| table.column(ours))
        .collect::<Result<Vec<_>, String>>()?;
    let theirs = on
        .on
        .iter()
        .map(|(_, theirs)| other.column(theirs))
        .collect::<Result<Vec<_>, String>>()?;
    let key = |columns: &[Column], row: &Row| {
        columns
            .iter()
            .map(|column| column.of(row).clone())
            .collect::<Vec<_>>()
    };
    let mut by_key: HashMap<Vec<Value>, Vec<Arc<[Value]>>> = HashMap::new();
    for row in &other.rows {
        let values: Arc<[Value]> = other
            .columns
            .iter()
            .map(|column| column.of(row).clone())
            .collect();
        by_key.entry(key(&theirs, row)).or_default().push(values);
    }
    let part = table.rows.first().map_or(0, |row| row.len());
    let nulls: Arc<[Value]> = other.columns.iter().map(|_| Value::Null).collect();
    let mut rows: Vec<Row> = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let with = |values: &Arc<[Value]>| {
            row.iter()
                .cloned()
                .chain([Part::Shared(Arc::clone(values))])
                .collect()
        };
        match by_key.get(&key(&ours, row)) {
            Some(matches) => rows.extend(matches.iter().map(with)),
            None if on.left => rows.push(with(&nulls)),
            None => {}
        }
        if rows.len() > MAX_ROWS {
            break;
        }
    }
    let mut columns = table.columns;
    for (at, column) in other.columns.iter().enumerate() {
        let joined = Column {
            name: Arc::clone(&column.name),
            part,
            at,
        };
        match columns.iter_mut().find(|known| known.name == joined.name) {
            Some(_) if on.left_wins => {}
            Some(known) => *known = joined,
            None => columns.push(joined),
        }
    }
    Ok(Table { columns, rows })
}

fn sort(table: &mut Table, fields: &[(String, bool)]) -> Result<(), String> {
    let keys = fields
        .iter()
        .map(|(name, descending)| Ok((table.column(name)?, *descending)))
        .collect::<Result<Vec<_>, String>>()?;
    table.rows.sort_by(|a, b| {
        let order = |(column, descending): &(Column, bool)| {
            let order = column.of(a).order(column.of(b));
            if *descending { order.reverse() } else { order }
        };
        keys.iter()
            .map(order)
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    });
    Ok(())
}

/// A condition whose fields are columns of a table.
enum Bound<'a> {
    All(Vec<Bound<'a>>),
    Any(Vec<Bound<'a>>),
    Not(Box<Bound<'a>>),
    Is(Column, Test, &'a Value),
    In(Column, HashSet<&'a Value>),
}

impl<'a> Bound<'a> {
    fn new(condition: &'a Condition, table: &Table) -> Result<Self, String> {
        let many = |inner: &'a [Condition]| {
            inner
                .iter()
                .map(|inner| Bound::new(inner, table))
                .collect::<Result<Vec<_>, String>>()
        };
        Ok(match condition {
            Condition::All(inner) => Bound::All(many(inner)?),
            Condition::Any(inner) => Bound::Any(many(inner)?),
            Condition::Not(inner) => Bound::Not(Box::new(Bound::new(inner, table)?)),
            Condition::Is { field, test, value } => Bound::Is(table.column(field)?, *test, value),
            Condition::In { field, values } => {
                Bound::In(table.column(field)?, values.iter().collect())
            }
        })
    }

    fn holds(&self, row: &Row) -> bool {
        match self {
            Bound::All(inner) => inner.iter().all(|bound| bound.holds(row)),
            Bound::Any(inner) => inner.iter().any(|bound| bound.holds(row)),
            Bound::Not(inner) => !inner.holds(row),
            Bound::Is(column, test, value) => compare(column.of(row), *test, value),
            Bound::In(column, values) => match column.of(row) {
                Value::List(items) => items.iter().any(|item| values.contains(item)),
                single => values.contains(single),
            },
        }
    }
}

/// Compares a value; of a list, any item will do.
fn compare(found: &Value, test: Test, wanted: &Value) -> bool {
    if let (Value::List(items), false) = (found, matches!(wanted, Value::Null)) {
        return match test {
            Test::Unequal => !items.contains(wanted),
            _ => items.iter().any(|item| compare(item, test, wanted)),
        };
    }
    let order = found.order(wanted);
    // Smaller and greater say nothing about null.
    let ordered = !matches!((found, wanted), (Value::Null, _) | (_, Value::Null));
    match test {
        Test::Equal => order.is_eq(),
        Test::Unequal => order.is_ne(),
        Test::Less => ordered && order.is_lt(),
        Test::LessOrEqual => ordered && order.is_le(),
        Test::Greater => ordered && order.is_gt(),
        Test::GreaterOrEqual => ordered && order.is_ge(),
        Test::Contains => match (found, wanted) {
            (Value::Text(found), Value::Text(wanted)) => found.contains(&**wanted),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::parser::parse;
    use super::*;

    struct Two;

    impl Source for Two {
        fn load(&self, dataset: &str, _: &Mentioned) -> Result<Table, String> {
            let text = |text: &str| Value::Text(text.into());
            match dataset {
                "hosts" => Ok(Table::new(
                    &["id", "cves", "severity"],
                    [
                        vec![text("b"), Value::texts(&["C1", "C2"]), text("HIGH")],
                        vec![text("a"), Value::texts(&["C2", "C9"]), Value::Null],
                        vec![text("c"), Value::List([].into()), text("LOW")],
                    ]
                    .into_iter(),
                )),
                "cves" => Ok(Table::new(
                    &["name", "severity", "score"],
                    [
                        vec![text("C1"), text("LOW"), Value::Float(2.5)],
                        vec![text("C2"), text("CRITICAL"), Value::Int(9)],
                    ]
                    .into_iter(),
                )),
                other => Err(format!("unknown dataset {other}")),
            }
        }
    }

    fn rows(query: &str) -> Vec<String> {
        let (table, _) = run(&parse(query).unwrap(), &Two).unwrap();
        let show = |value: &Value| match value {
            Value::Text(text) => text.to_string(),
            Value::Null => "-".to_owned(),
            other => format!("{other:?}"),
        };
        let row = |row: &Row| {
            table
                .columns
                .iter()
                .map(|column| show(column.of(row)))
                .collect::<Vec<_>>()
                .join(" ")
        };
        table.rows.iter().map(row).collect()
    }

    const JOINED: &str = "(dataset = cves | fields name, severity, score) as c c.name = cves";

    #[test]
    fn lists_expand_and_join_with_the_right_side_winning() {
        let query = format!(
            "dataset = hosts | arrayexpand cves | join type = left {JOINED} | sort asc id, desc cves | fields id, cves as cve, severity"
        );
        assert_eq!(
            rows(&query),
            ["a C9 -", "a C2 CRITICAL", "b C2 CRITICAL", "b C1 LOW"]
        );
    }

    #[test]
    fn an_inner_join_drops_what_has_no_match_and_the_left_side_can_win() {
        let query = format!(
            "dataset = hosts | arrayexpand cves | join conflict_strategy = left {JOINED} | sort asc id | fields id, severity, name"
        );
        assert_eq!(rows(&query), ["a - C2", "b HIGH C1", "b HIGH C2"]);
    }

    #[test]
    fn filters_compare_numbers_texts_lists_and_null() {
        let ids = |filter: &str| {
            rows(&format!(
                "dataset = hosts | filter {filter} | sort asc id | fields id"
            ))
        };
        assert_eq!(ids("severity = null"), ["a"]);
        assert_eq!(ids("severity != null and id > \"b\""), ["c"]);
        assert_eq!(ids("cves contains \"9\" or id in (\"c\")"), ["a", "c"]);
        assert_eq!(ids("cves = \"C2\""), ["a", "b"]);
        assert_eq!(ids("id not in (\"a\", \"b\")"), ["c"]);
        assert_eq!(ids("severity < \"I\""), ["b"]);
        assert_eq!(
            rows("dataset = cves | filter score >= 9.0 | fields name"),
            ["C2"]
        );
        assert_eq!(
            rows("dataset = cves | limit 1 | fields - score, severity"),
            ["C1"]
        );
    }

    #[test]
    fn rows_read_are_counted_over_both_sides_and_unknown_fields_refused() {
        let query = parse(&format!(
            "dataset = hosts | arrayexpand cves | join {JOINED}"
        ))
        .unwrap();
        assert_eq!(run(&query, &Two).unwrap().1, 5);
        for wrong in [
            "dataset = nothing",
            "dataset = hosts | fields nothing",
            "dataset = cves | sort asc nothing",
        ] {
            assert!(
                run(&parse(wrong).unwrap(), &Two)
                    .unwrap_err()
                    .contains("nothing")
            );
        }
    }
}
