//! `assets import`: what the platform knows from elsewhere.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use super::remaking;
use crate::cli::args::{ImportArgs, InputFile};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human::{self, count, counted};
use crate::cli::view::identification::{retried_document, retried_lines};
use crate::domain::TenantName;
use crate::import::{Alike, RowError, Rows, parse};
use crate::store::{Imported, ImportedAsset, Store, StoreError};

/// Rows that are committed together.
const TOGETHER: usize = 200;

/// Bytes of rows after which they are committed, however few they are.
const BYTES: usize = 8 << 20;

/// Bad rows that are kept for the account of `--json`; all are counted.
const MOST_TOLD: usize = 1_000;

/// Bad rows that are told one by one; the others are only counted.
const MOST_SHOWN: u64 = 100;

/// Where so many rows are no JSON and none before them was, the file is of another kind.
const ANOTHER_KIND: u64 = 10;

/// What a file must be.
const WANTED: &str = "one JSON object per line is wanted, such as {\"hostName\": \"pc1\", \"domain\": \"corp.example.com\"}, or a JSON list of such objects; \
    `host-runner assets import --help` says what may stand in one";

/// What came of a file.
#[derive(Default)]
struct Account {
    rows: u64,
    /// Of them those that are no JSON.
    no_json: u64,
    alike: Alike,
    imported: Imported,
    /// Rows of assets that their platform calls inactive or out of scope.
    not_active: u64,
    bad: u64,
    told: Vec<(u64, String)>,
    /// Names that say nothing, with the first line of each and how many rows have it.
    unknown: BTreeMap<String, (u64, u64)>,
}

/// Runs it.
pub async fn run(context: &Context, args: &ImportArgs) -> CommandResult {
    let store = match context.stores()?.open(&args.tenant).await {
        Ok(store) => store,
        Err(error) => return Err(closed(error, &args.tenant)),
    };
    let mut rows = Rows::new(open(&args.file)?);
    let mut account = Account::default();
    let mut together: Vec<ImportedAsset> = Vec::with_capacity(TOGETHER);
    let mut bytes = 0_usize;
    loop {
        let row = rows
            .next_row()
            .map_err(|error| unreadable(&args.file, &error))?;
        let ended = row.is_none();
        if let Some(row) = row {
            account.rows += 1;
            let size = row.text.as_ref().map_or(0, Vec::len);
            let parsed = row
                .text
                .and_then(|text| parse(row.line, &text, context.now()));
            if let Some(asset) = account.take(context, row.line, parsed) {
                bytes = bytes.saturating_add(size);
                together.push(asset);
            }
            if account.no_json == account.rows && account.no_json >= ANOTHER_KIND {
                return Err(another_kind(&args.file));
            }
        }
        if together.len() >= TOGETHER || bytes > BYTES || (ended && !together.is_empty()) {
            let imported = store
                .import_assets(&args.source, &together, context.now())
                .await?;
            account.ambiguous(context, &imported);
            account.imported += imported;
            together.clear();
            bytes = 0;
        }
        if ended {
            break;
        }
    }
    let output = &context.output;
    if !output.json() {
        for line in account.lines(&args.source) {
            output.line(line)?;
        }
    }
    let (remade, left) = remaking::at_once(context, &store, store.tried_again().await?).await?;
    if output.json() {
        let mut document = account.document(&args.source);
        if let Value::Object(members) = &mut document {
            members.insert("remade".to_owned(), json!(remaking::document(&remade)));
            members.insert("triedLater".to_owned(), json!(retried_document(&left)));
        }
        output.document(&document)?;
    } else {
        for line in retried_lines(&args.tenant, &left) {
            output.line(line)?;
        }
    }
    Ok(if account.bad > 0 {
        Exit::Input
    } else {
        Exit::Success
    })
}

fn open(file: &InputFile) -> Result<Box<dyn BufRead>, Failure> {
    match file {
        InputFile::Standard => Ok(Box::new(BufReader::new(std::io::stdin()))),
        InputFile::Path(path) => match File::open(path) {
            Ok(opened) => Ok(Box::new(BufReader::new(opened))),
            Err(error) => Err(unreadable(file, &error)),
        },
    }
}

/// Why the tenant can't be opened. Where there is none yet, what makes one.
fn closed(error: StoreError, tenant: &TenantName) -> Failure {
    let unknown = matches!(error, StoreError::NoSuchTenant { .. });
    let failure = Failure::from(error);
    if !unknown {
        return failure;
    }
    failure.remedy(format!(
        "check the tenant's name and the --data directory; a new tenant is made by its first connection: \
         host-runner connect NAME --tenant {tenant} --config FILE"
    ))
}

fn another_kind(file: &InputFile) -> Failure {
    let message =
        format!("none of the first {ANOTHER_KIND} rows ({file}) is JSON: nothing was loaded");
    Failure::new(Exit::Input, message).remedy(WANTED)
}

fn unreadable(file: &InputFile, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Input, format!("the rows ({file}) can't be read: {error}"))
        .remedy("check the path; `-` reads standard input. What was loaded before is kept, and importing it again doubles nothing")
}

impl Account {
    /// Counts a row, and gives what is to be loaded of it.
    fn take(
        &mut self,
        context: &Context,
        line: u64,
        parsed: Result<crate::import::Parsed, RowError>,
    ) -> Option<ImportedAsset> {
        let no_json = parsed.as_ref().is_err_and(RowError::is_no_json);
        self.no_json += u64::from(no_json);
        match parsed {
            Ok(parsed) => {
                for name in parsed.unknown {
                    if self.unknown.len() >= MOST_TOLD && !self.unknown.contains_key(&name) {
                        continue;
                    }
                    let (_, rows) = self.unknown.entry(name).or_insert((line, 0));
                    *rows += 1;
                }
                self.not_active += u64::from(parsed.asset.is_none());
                let asset = parsed.asset?;
                match self.alike.take(&asset) {
                    Ok(()) => Some(asset),
                    Err(error) => {
                        self.refuse(context, line, error.to_string());
                        None
                    }
                }
            }
            Err(error) => {
                self.refuse(context, line, error.to_string());
                None
            }
        }
    }

    fn ambiguous(&mut self, context: &Context, imported: &Imported) {
        for (line, rule, assets) in &imported.ambiguous {
            let reason = format!(
                "{} fit it by {rule}, and it is loaded as none",
                counted(*assets, "asset")
            );
            self.refuse(context, *line, reason);
        }
    }

    fn refuse(&mut self, context: &Context, line: u64, reason: String) {
        self.bad += 1;
        if !context.output.json() && self.bad <= MOST_SHOWN {
            context
                .output
                .error_line(human::plain(&format!("line {line}: {reason}")));
        }
        if self.told.len() < MOST_TOLD {
            self.told.push((line, reason));
        }
    }

    fn lines(&self, source: &str) -> Vec<String> {
        let imported = &self.imported;
        let source = human::plain(source);
        let mut lines = vec![format!(
            "{} of {source}: {} created, {} linked to assets that were there, {} known before; gaps filled in {}",
            counted(self.rows, "row"),
            counted(imported.created, "asset"),
            count(imported.linked),
            count(imported.known),
            counted(imported.filled, "asset"),
        )];
        if self.not_active > 0 {
            lines.push(format!(
                "{} of assets that are not active where they come from: left out",
                counted(self.not_active, "row")
            ));
        }
        if self.bad > 0 {
            let told = match self.bad > MOST_SHOWN {
                true => format!("the first {} of them are told above", count(MOST_SHOWN)),
                false => "see above".to_owned(),
            };
            lines.push(format!(
                "{} could not be loaded: {told}",
                counted(self.bad, "row")
            ));
        }
        if self.no_json > 0 && self.no_json == self.rows {
            lines.push(format!("no row is JSON: {WANTED}"));
        }
        for (name, (line, rows)) in &self.unknown {
            lines.push(format!(
                "\"{}\" says nothing here: it stands in {}, first in line {line}",
                human::plain(name),
                counted(*rows, "row")
            ));
        }
        lines
    }

    fn document(&self, source: &str) -> Value {
        let imported = &self.imported;
        json!({
            "source": source,
            "rows": self.rows,
            "created": imported.created,
            "linked": imported.linked,
            "known": imported.known,
            "filled": imported.filled,
            "notActive": self.not_active,
            "bad": self.bad,
            "badRows": self.told.iter().map(|(line, reason)| json!({"line": line, "reason": reason})).collect::<Vec<_>>(),
            "unknownNames": self.unknown.iter().map(|(name, (line, rows))| json!({"name": name, "firstLine": line, "rows": rows})).collect::<Vec<_>>(),
        })
    }
}
