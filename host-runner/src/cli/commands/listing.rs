//! Lists that are printed as they are read out of the store, so that memory does not grow with it.

use futures_util::{Stream, TryStreamExt};

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::cli::table::Table;
use crate::store::StoreError;

/// How a list is printed: as a table of so many rows, or whole, one JSON document per line.
pub(super) struct Listing<Row, Item> {
    /// What one of it is called.
    pub noun: &'static str,
    /// The most that are shown.
    pub limit: Option<u64>,
    /// The empty table.
    pub table: Table,
    /// Adds one to the table.
    pub row: Row,
    /// Prints one as JSON.
    pub item: Item,
}

impl<Row, Item> Listing<Row, Item> {
    /// Prints all that the store gives; a reader that goes away ends it.
    pub async fn print<T>(
        mut self,
        context: &Context,
        each: impl Stream<Item = Result<T, StoreError>>,
    ) -> CommandResult
    where
        Row: Fn(&mut Table, &T),
        Item: Fn(&T) -> Result<(), Failure>,
    {
        let output = &context.output;
        let mut each = std::pin::pin!(each);
        let mut rows = 0;
        while let Some(one) = each.try_next().await? {
            rows += 1;
            if output.json() {
                (self.item)(&one)?;
                if output.closed() {
                    break;
                }
            } else if self.limit.is_none_or(|limit| rows <= limit) {
                (self.row)(&mut self.table, &one);
            }
        }
        tell(context, &self.table, rows, self.limit, self.noun)
    }
}

/// One row more than is shown, so that it can be said that there are more.
pub(super) fn more(limit: Option<u64>, json: bool) -> Option<u64> {
    if json {
        limit
    } else {
        limit.map(|limit| limit.saturating_add(1))
    }
}

pub(super) fn tell(
    context: &Context,
    table: &Table,
    rows: u64,
    limit: Option<u64>,
    noun: &str,
) -> CommandResult {
    let output = &context.output;
    if output.json() {
        return Ok(Exit::Success);
    }
    if rows == 0 {
        output.note(format!("there is no such {noun}"));
        return Ok(Exit::Success);
    }
    output.line(table.render())?;
    if let Some(limit) = limit.filter(|limit| rows > *limit) {
        output.note(format!(
            "these are the first {}; --limit N shows more, --json all",
            human::count(limit)
        ));
    }
    Ok(Exit::Success)
}
