//! Target models, as they are listed and shown.

use serde_json::{Value, json};

use crate::cli::human;
use crate::cli::table::{Card, Table, bold};
use crate::model::{Model, Required, SchemaPath};

/// The two kinds of documents.
const KINDS: [(&str, &str); 2] = [("asset", "Assets"), ("finding", "Findings")];

/// How much of a description is shown.
const DESCRIBED: usize = 90;

/// A model of a list as JSON.
pub fn listed(model: &Model) -> Value {
    json!({
        "name": model.name,
        "title": model.title,
        "description": model.description,
        "defaults": {
            "updateExistingAssets": model.defaults.update_existing_assets,
            "autoOnboardAssets": model.defaults.auto_onboard_assets,
        },
        "alwaysWritten": model.always_written,
        "onboardingSource": model.onboarding_source,
        "findings": model.findings,
    })
}

/// The list as a table.
pub fn table(models: &[Model]) -> Table {
    let mut table = Table::new(&[
        "NAME",
        "TITLE",
        ">ASSET PATHS",
        ">FINDING PATHS",
        "UPDATE EXISTING",
        "ONBOARD",
    ]);
    for model in models {
        table.row([
            model.name.clone(),
            model.title.clone(),
            human::count(model.paths("asset").len() as u64),
            human::count(model.paths("finding").len() as u64),
            switch(model.defaults.update_existing_assets).to_owned(),
            switch(model.defaults.auto_onboard_assets).to_owned(),
        ]);
    }
    table
}

fn switch(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// A model with all its paths.
pub fn whole(model: &Model, colour: bool) -> String {
    let mut card = Card::new(format!("{} ({})", model.title, model.name));
    card.row("names", &model.description)
        .row(
            "updateExistingAssets",
            switch(model.defaults.update_existing_assets),
        )
        .row(
            "autoOnboardAssets",
            switch(model.defaults.auto_onboard_assets),
        )
        .lines("always written", &model.always_written)
        .row_if("who brought it in", model.onboarding_source.as_ref())
        .row_if("nests findings in", model.findings.as_ref());
    format!(
        "{}\n\n{}",
        card.render(colour),
        paths(&below(model, ""), colour)
    )
}

/// The paths at or below a path, with their kinds; all for "".
pub fn below(model: &Model, wanted: &str) -> Vec<(&'static str, SchemaPath)> {
    let at_or_below = |path: &str, above: &str| {
        let rest = path.strip_prefix(above);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let mut rows = Vec::new();
    for (kind, _) in KINDS {
        // `finding[].severity` is how a map writes a finding's path where findings are a list; `finding` is all of them.
        let of_kind = wanted
            .strip_prefix(kind)
            .map(|rest| rest.strip_prefix("[]").unwrap_or(rest))
            .and_then(|rest| {
                if rest.is_empty() {
                    Some("")
                } else {
                    rest.strip_prefix('.')
                }
            });
        for row in model.paths(kind) {
            let by_kind =
                of_kind.is_some_and(|rest| rest.is_empty() || at_or_below(&row.path, rest));
            if wanted.is_empty() || at_or_below(&row.path, wanted) || by_kind {
                rows.push((kind, row));
            }
        }
    }
    rows
}

/// Paths as tables, one for each kind.
pub fn paths(rows: &[(&'static str, SchemaPath)], colour: bool) -> String {
    let mut parts = Vec::new();
    for (kind, title) in KINDS {
        let mut table = Table::new(&["PATH", "TYPE", "REQUIRED", "DESCRIPTION"]);
        for (_, row) in rows.iter().filter(|(of, _)| *of == kind) {
            table.row([
                row.path.clone(),
                row.types.clone(),
                required(row),
                described(row),
            ]);
        }
        if !table.is_empty() {
            parts.push(format!("{}\n{}", bold(title, colour), table.render()));
        }
    }
    parts.join("\n\n")
}

fn required(row: &SchemaPath) -> String {
    if !row.one_of.is_empty() {
        format!("one of {}", row.one_of.join(", "))
    } else {
        let word = match (row.needed, row.required) {
            (Required::Always, _) => "yes",
            (_, Required::Always) => "there",
            (_, Required::Sometimes) => "some",
            (_, Required::No) => "",
        };
        word.to_owned()
    }
}

fn always(required: Required) -> &'static str {
    match required {
        Required::Always => "always",
        Required::Sometimes => "sometimes",
        Required::No => "no",
    }
}

fn described(row: &SchemaPath) -> String {
    let text = match row.values.as_slice() {
        [] => row.description.clone(),
        values => format!("{}: {}", values.join(", "), row.description),
    };
    human::shortened(text.trim_end_matches(": "), DESCRIBED)
}

/// A path as JSON.
pub fn row_document(kind: &str, row: &SchemaPath) -> Value {
    json!({
        "kind": kind,
        "path": row.path,
        "types": row.types,
        "required": always(row.required),
        "oneOf": row.one_of,
        "needed": always(row.needed),
        "values": row.values,
        "description": row.description,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_models_is_as_recorded() {
        insta::assert_snapshot!(table(&Model::bundled().unwrap()).render());
    }

    #[test]
    fn a_model_is_shown_as_recorded() {
        insta::assert_snapshot!(whole(&Model::by_name("safe").unwrap(), false));
    }

    #[test]
    fn a_path_shows_what_is_at_or_below_it() {
        let model = Model::by_name("qualys-etm").unwrap();
        let shown = |path: &str| -> Vec<String> {
            let rows = below(&model, path).into_iter();
            rows.map(|(kind, row)| format!("{kind} {}", row.path))
                .collect()
        };
        assert_eq!(
            shown("operatingSystem"),
            [
                "asset operatingSystem",
                "asset operatingSystem.name",
                "asset operatingSystem.version"
            ]
        );
        let cve = shown("finding[].findingType.vulnerability.cveId");
        assert!(
            cve.contains(&"finding findingType.vulnerability.cveId".to_owned()),
            "{cve:?}"
        );
        assert!(shown("finding").len() > 5);
        assert!(shown("operatingSys").is_empty());
    }
}
