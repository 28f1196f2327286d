//! `inspect`: what a component is, and all that it can do.

use serde_json::{Value, json};

use crate::cli::args::InspectArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::CommandResult;
use crate::cli::human;
use crate::cli::table::{Card, Table, bold};
use crate::cli::view::compared;
use crate::component::{Comparison, Manifest, Standing, rule_text};
use crate::engine::Plugin;

/// Columns of a table whose cells are sentences: as wide as the help texts.
const WIDTH: u16 = 108;

/// Runs it.
pub async fn run(context: &Context, args: &InspectArgs) -> CommandResult {
    let source = args
        .component
        .as_ref()
        .map_or_else(|| context.source(), |given| given.0.clone());
    let mut trust = context.trust()?;
    let Some(against) = &args.against else {
        let plugin = context.alone(&args.pace, &source, trust).await?;
        return show(context, &plugin);
    };
    // What is about to be used is what a signature is named for.
    let signature = trust.signature.take();
    let old = context.alone(&args.pace, &source, trust.clone()).await?;
    trust.signature = signature;
    let new = context.alone(&args.pace, &against.0, trust).await?;
    compare(context, &old, &new)
}

fn compare(context: &Context, old: &Plugin, new: &Plugin) -> CommandResult {
    let (before, after) = (old.profile(), new.profile());
    let comparison = Comparison::of(&before, &after);
    let output = &context.output;
    if output.json() {
        let (old, new) = ((old.name(), &before), (new.name(), &after));
        output.document(&compared::document(old, new, &comparison))?;
    } else {
        for (plugin, word) in [(old, "old"), (new, "new")] {
            let manifest = plugin.manifest();
            let line = format!(
                "{word}: {}, {} {}, SHA-256 {}, signature: {}",
                plugin.name(),
                manifest.name,
                manifest.version,
                plugin.sha256(),
                plugin.standing()
            );
            output.line(human::plain(&line))?;
        }
        output.line(compared::text(&comparison, output.style().colour).trim_end())?;
    }
    Ok(if comparison.reaches_further() {
        Exit::Reach
    } else {
        Exit::Success
    })
}

fn show(context: &Context, plugin: &Plugin) -> CommandResult {
    let output = &context.output;
    if output.json() {
        output.document(&document(plugin))?;
        return Ok(Exit::Success);
    }
    let colour = output.style().colour;
    output.line(card(plugin).render(colour))?;
    let manifest = plugin.manifest();
    let title = |text: &str| format!("\n{}", bold(text, colour));
    output.line(title("What it imports and exports"))?;
    for import in &plugin.anatomy().imports {
        output.line(format!("  import  {}", human::plain(import)))?;
    }
    for export in &plugin.anatomy().exports {
        output.line(format!("  export  {}", human::plain(export)))?;
    }
    output.line(title("Where it can go"))?;
    for origin in &manifest.origins {
        for rule in origin.rules.iter().map(rule_text) {
            output.line(format!(
                "  {}  {}",
                human::plain(&origin.name),
                human::plain(&rule)
            ))?;
        }
    }
    output.line(title("How often it can ask"))?;
    output.line(indented(&budgets(manifest).render()))?;
    output.line(title(&format!("What it can call: {}", promise(manifest))))?;
    output.line(indented(&calls(manifest).render()))?;
    output.line(title("What each call needs"))?;
    output.line(indented(&needs(manifest).wrapped(WIDTH).render()))?;
    output.line(title("Data streams"))?;
    output.line(indented(&streams(manifest).render()))?;
    output.line(title("Configuration"))?;
    output.line(indented(&fields(&manifest.config_schema).render()))?;
    output.line(title("Transform maps"))?;
    output.line(indented(&maps(manifest).render()))?;
    output.line(title("How to set it up"))?;
    // The text is Markdown; its marks for bold are none to a terminal.
    let setup = manifest.setup.trim().replace("**", "");
    output.line(indented(&human::plain_lines(&setup)))?;
    Ok(Exit::Success)
}

/// "12 calls that read, 0 that change anything".
fn promise(manifest: &Manifest) -> String {
    let change = manifest.calls.iter().filter(|call| call.changes).count();
    let read = manifest.calls.len() - change;
    format!(
        "{} that read{}, {change} that change{} anything",
        human::counted(read as u64, "call"),
        if read == 1 { "s" } else { "" },
        if change == 1 { "s" } else { "" },
    )
}

fn card(plugin: &Plugin) -> Card {
    let manifest = plugin.manifest();
    let metadata = &plugin.anatomy().metadata;
    let mut card = Card::new(format!("{} {}", manifest.title, manifest.version));
    card.row("name", &manifest.name)
        .row("vendor", &manifest.vendor)
        .row("product", &manifest.product)
        .row_if("category", some(&manifest.category));
    for (label, value) in &manifest.details {
        card.row(&human::plain(&label.to_lowercase()), value);
    }
    card.row_if("licence", metadata.licence.as_deref())
        .row_if("source", metadata.source.as_deref())
        .row("component", plugin.name())
        .row("sha-256", plugin.sha256())
        .row(
            "size",
            format!(
                "{} ({} bytes)",
                human::bytes(plugin.size()),
                human::count(plugin.size())
            ),
        )
        .row("signature", plugin.standing().to_string());
    card
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// The API's own limits. A host that keeps to them never holds the component back further than the API would.
fn budgets(manifest: &Manifest) -> Table {
    let mut table = Table::new(&["REQUESTS", "IN", "OF"]);
    for budget in &manifest.budgets {
        table.row([
            budget.requests.to_string().as_str(),
            &format!("{} s", budget.seconds),
            &if budget.calls.is_empty() {
                "all calls".to_owned()
            } else {
                budget.calls.join(", ")
            },
        ]);
    }
    table
}

fn calls(manifest: &Manifest) -> Table {
    let mut table = Table::new(&["CALL", "DOES", "REQUEST", "FOR"]);
    for call in &manifest.calls {
        table.row([
            call.name.as_str(),
            if call.changes { "CHANGES" } else { "reads" },
            &format!("{} {}", call.method, call.path),
            &if call.data_streams.is_empty() {
                "test".to_owned()
            } else {
                call.data_streams.join(", ")
            },
        ]);
    }
    table
}

fn needs(manifest: &Manifest) -> Table {
    let mut table = Table::new(&["CALL", "PERMISSION", "LICENCE"]);
    for call in &manifest.calls {
        table.row([
            call.name.as_str(),
            &call.permission,
            call.licence.as_deref().unwrap_or_default(),
        ]);
    }
    table
}

fn streams(manifest: &Manifest) -> Table {
    let mut table = Table::new(&["STREAM", "TITLE", "INCREMENTAL"]);
    for stream in &manifest.data_streams {
        table.row([
            stream.name.as_str(),
            &stream.title,
            if stream.incremental { "yes" } else { "no" },
        ]);
    }
    table
}

fn fields(schema: &Value) -> Table {
    let mut table = Table::new(&["FIELD", "TYPE", "NEEDED", "DEFAULT", "WHAT"]);
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let text = |key: &str| field.get(key).and_then(Value::as_str).unwrap_or_default();
        let secret = field.get("writeOnly") == Some(&Value::Bool(true));
        let what = if text("title").is_empty() {
            text("description")
        } else {
            text("title")
        };
        table.row([
            name.as_str(),
            &if secret {
                "secret".to_owned()
            } else {
                kind(field)
            },
            if required.contains(&name.as_str()) {
                "yes"
            } else {
                "no"
            },
            &field.get("default").map(default).unwrap_or_default(),
            what,
        ]);
    }
    table
}

fn kind(field: &Value) -> String {
    match field.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(" or "),
        _ => "any".to_owned(),
    }
}

fn default(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(default).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn maps(manifest: &Manifest) -> Table {
    let mut table = Table::new(&["MAP", "STREAM", "TARGET", "VERSION"]);
    for map in &manifest.maps {
        let version = map
            .body
            .get("version")
            .and_then(Value::as_str)
            .unwrap_or_default();
        table.row([map.name.as_str(), &map.data_stream, &map.target, version]);
    }
    table
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {line}").trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

fn document(plugin: &Plugin) -> Value {
    let manifest = plugin.manifest();
    let anatomy = plugin.anatomy();
    let change = manifest.calls.iter().filter(|call| call.changes).count();
    json!({
        "component": plugin.name(),
        "sha256": plugin.sha256(),
        "size": plugin.size(),
        "signature": signature(plugin.standing()),
        "imports": anatomy.imports,
        "exports": anatomy.exports,
        "metadata": {
            "name": anatomy.metadata.name,
            "version": anatomy.metadata.version,
            "description": anatomy.metadata.description,
            "licence": anatomy.metadata.licence,
            "source": anatomy.metadata.source,
        },
        "callsThatRead": manifest.calls.len() - change,
        "callsThatChange": change,
        "budgets": plugin.profile().budgets,
        "manifest": manifest,
    })
}

fn signature(standing: &Standing) -> Value {
    match standing {
        Standing::Bundled => json!({"state": "bundled"}),
        Standing::Signed { key, comment } => {
            json!({"state": "signed", "key": key, "trustedComment": comment})
        }
        Standing::Unsigned => json!({"state": "unsigned"}),
        Standing::Unchecked { signature } => {
            json!({"state": "unchecked", "file": signature.display().to_string()})
        }
        Standing::Doubtful(error) => {
            json!({"state": "doubtful", "reason": error.to_string()})
        }
    }
}
