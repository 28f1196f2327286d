//! Transform maps, as they are listed and shown.

use serde_json::{Value, json};

use crate::cli::human;
use crate::cli::table::{Card, Table, bold};
use crate::connection::maps::{BundledMap, Shelf, Shelved, Use};
use crate::domain::{TenantName, Timestamp};
use crate::maps::{Line, MapDocument, heads, rules};
use crate::store::MapVersion;

/// Digits of a hash that are shown to people.
const SHORT: usize = 12;

/// A map of a list.
pub struct Listed<'a> {
    name: String,
    streams: Vec<String>,
    document: Option<MapDocument>,
    version: Option<&'a MapVersion>,
    hash: String,
    users: Vec<Use>,
}

/// The connector's maps and then the tenant's own.
pub fn listed(shelf: &Shelf) -> Vec<Listed<'_>> {
    let bundled = shelf.bundled().iter().map(|map: &BundledMap| Listed {
        name: map.name.clone(),
        streams: map.streams.clone(),
        document: Some(map.document.clone()),
        version: None,
        hash: map.document.hash().to_owned(),
        users: shelf.users_of_bundled(map).into_iter().cloned().collect(),
    });
    let own = shelf.own().into_iter().map(|saved| {
        // One that can't be read is listed all the same, so that it can be removed.
        let document = MapDocument::saved(saved).ok();
        Listed {
            name: saved.version.name.to_string(),
            streams: document
                .iter()
                .flat_map(MapDocument::streams)
                .map(str::to_owned)
                .collect(),
            document,
            version: Some(&saved.version),
            hash: saved.version.hash.clone(),
            users: shelf
                .users_of_own(saved.version.name.as_str())
                .into_iter()
                .cloned()
                .collect(),
        }
    });
    bundled.chain(own).collect()
}

impl Listed<'_> {
    fn target(&self) -> &str {
        let document = self.document.as_ref();
        document.and_then(MapDocument::target).unwrap_or_default()
    }

    fn inner_version(&self) -> Option<&str> {
        self.document.as_ref().and_then(MapDocument::version)
    }

    /// As JSON.
    pub fn document(&self) -> Value {
        json!({
            "name": self.name,
            "kind": if self.version.is_some() { "own" } else { "bundled" },
            "title": self.document.as_ref().and_then(MapDocument::title),
            "dataStreams": self.streams,
            "target": self.target(),
            "version": self.inner_version(),
            "number": self.version.map(|version| version.number),
            "sha256": self.hash,
            "savedAt": self.version.map(|version| version.saved_at.to_rfc3339()),
            "usedBy": self.users.iter().map(use_json).collect::<Vec<_>>(),
        })
    }
}

/// The list as a table. Who uses a map is known only where a tenant is.
pub fn table(rows: &[Listed<'_>], of_tenant: bool, now: Timestamp) -> Table {
    let mut titles = vec![
        "NAME",
        "KIND",
        "DATA STREAMS",
        "TARGET",
        "VERSION",
        "SHA-256",
    ];
    if of_tenant {
        titles.extend(["SAVED", "USED BY"]);
    }
    let mut table = Table::new(&titles);
    for row in rows {
        let mut cells = vec![
            row.name.clone(),
            if row.version.is_some() {
                "own"
            } else {
                "bundled"
            }
            .to_owned(),
            row.streams.join(", "),
            row.target().to_owned(),
            row.inner_version().unwrap_or_default().to_owned(),
            short(&row.hash),
        ];
        if of_tenant {
            cells.push(row.version.map_or_else(String::new, |version| {
                let when = human::relative(now, version.saved_at);
                format!("{} {when}", version.number)
            }));
            cells.push(users(&row.users));
        }
        table.row(cells);
    }
    table
}

/// The versions of a map.
pub fn versions(versions: &[MapVersion], users: &[&Use], now: Timestamp) -> Table {
    let mut table = Table::new(&[">VERSION", "SAVED", "SHA-256", "USED BY"]);
    for version in versions {
        table.row([
            version.number.to_string(),
            human::moment_and_distance(now, version.saved_at),
            short(&version.hash),
            self::users(&of(version, users)),
        ]);
    }
    table
}

/// A version as JSON.
pub fn version_document(version: &MapVersion, users: &[&Use]) -> Value {
    json!({
        "name": version.name,
        "number": version.number,
        "sha256": version.hash,
        "savedAt": version.saved_at.to_rfc3339(),
        "usedBy": of(version, users).iter().map(use_json).collect::<Vec<_>>(),
    })
}

fn of(version: &MapVersion, users: &[&Use]) -> Vec<Use> {
    users
        .iter()
        .filter(|used| used.origin.number() == Some(version.number))
        .map(|used| (*used).clone())
        .collect()
}

/// "xdr: alerts, endpoints; other: alerts (version 2)".
fn users(users: &[Use]) -> String {
    let mut words: Vec<(String, Vec<String>)> = Vec::new();
    for used in users {
        let name = used.connection.to_string();
        let stream = match used.origin.number() {
            Some(number) => format!("{} (version {number})", used.stream),
            None => used.stream.to_string(),
        };
        match words.iter_mut().find(|(other, _)| *other == name) {
            Some((_, streams)) => streams.push(stream),
            None => words.push((name, vec![stream])),
        }
    }
    let words: Vec<String> = words
        .into_iter()
        .map(|(name, streams)| format!("{name}: {}", streams.join(", ")))
        .collect();
    words.join("; ")
}

/// A use as JSON.
pub fn use_json(used: &Use) -> Value {
    json!({
        "connection": used.connection,
        "dataStream": used.stream,
        "number": used.origin.number(),
        "sha256": used.hash,
    })
}

fn short(hash: &str) -> String {
    hash.get(..SHORT).unwrap_or(hash).to_owned()
}

/// What a map is used for, in words: "assets and findings of endpoints for qualys-etm, 24 rules".
pub fn used_for(map: &MapDocument) -> String {
    format!(
        "{} from {} for {}, {}",
        human::list(&map.kinds()),
        human::plain(&human::list(&map.streams())),
        human::plain(map.target().unwrap_or_default()),
        human::counted(map.rules() as u64, "rule")
    )
}

/// The same as JSON.
pub fn use_document(map: &MapDocument) -> Value {
    json!({
        "name": map.name(),
        "title": map.title(),
        "version": map.version(),
        "dataStreams": map.streams(),
        "target": map.target(),
        "documents": map.kinds(),
        "rules": map.rules(),
        "sha256": map.hash(),
    })
}

/// Which connections do not use a version that was just saved, and the commands that give it to them.
pub fn behind(version: &MapVersion, users: &[Use], tenant: &TenantName) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut connections: Vec<&Use> = users.iter().collect();
    connections.dedup_by_key(|used| &used.connection);
    for first in connections {
        let streams: Vec<&Use> = users
            .iter()
            .filter(|used| used.connection == first.connection)
            .collect();
        let which: Vec<String> = streams
            .iter()
            .map(|used| match used.origin.number() {
                Some(number) => format!("version {number} for {}", used.stream),
                None => used.stream.to_string(),
            })
            .collect();
        let flags: Vec<String> = streams
            .iter()
            .map(|used| format!("--map {}={}", used.stream, version.name))
            .collect();
        lines.push(format!(
            "connection {} still uses {}; to give it this one: host-runner update {} --tenant {tenant} {}",
            first.connection,
            human::list(&which),
            first.connection,
            flags.join(" ")
        ));
    }
    lines
}

/// A map as a person reads it.
pub fn whole(map: &Shelved, shelf: &Shelf, now: Timestamp, colour: bool) -> String {
    let document = map.document();
    let mut card = Card::new(map.label());
    let (kind, users) = match map {
        Shelved::Bundled(bundled) => (
            "of the connector, read-only".to_owned(),
            shelf.users_of_bundled(bundled),
        ),
        Shelved::Own(version, _) => (
            format!(
                "the tenant's own, version {}, saved {}",
                version.number,
                human::moment_and_distance(now, version.saved_at)
            ),
            shelf.users_of_own(version.name.as_str()),
        ),
        Shelved::File(..) => ("a file".to_owned(), Vec::new()),
    };
    let users: Vec<Use> = users.into_iter().cloned().collect();
    card.row_if("title", document.title())
        .row("kind", kind)
        .row("data streams", map.streams().join(", "))
        .row("target", document.target().unwrap_or_default())
        .row("version", document.version().unwrap_or_default())
        .row_if("caution", document.caution())
        .row("SHA-256", document.hash())
        .row_if("used by", (!users.is_empty()).then(|| self::users(&users)));
    let heads = lines("WHAT", &heads(document.body()));
    let rules = lines("TARGET", &rules(document.body()));
    let mut text = card.render(colour);
    for (title, table) in [("Known by", heads), ("Rules", rules)] {
        if !table.is_empty() {
            text.push_str(&format!("\n\n{}\n{}", bold(title, colour), table.render()));
        }
    }
    text
}

fn lines(target: &str, lines: &[Line]) -> Table {
    let mut table = Table::new(&["SOURCE", target, "CONVERSION", "WHEN", "ELSE"]);
    for line in lines {
        table.row([
            line.sources.join(" + "),
            line.target.clone(),
            line.convert.clone(),
            line.when.clone(),
            line.value.clone(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::{Manifest, TransformMap};
    use crate::connection::maps::OwnMaps;
    use crate::store::{MapOrigin, SavedMap};

    fn shelf() -> Shelf {
        let bundled = |stream: &str, version: &str| TransformMap {
            name: "safe".to_owned(),
            data_stream: stream.to_owned(),
            target: "safe".to_owned(),
            body: json!({"name": "safe", "version": version, "source": stream, "target": "safe", "rules": []}),
        };
        let manifest = Manifest {
            name: "test".to_owned(),
            title: "Test".to_owned(),
            version: "1.0.0".to_owned(),
            vendor: "Example".to_owned(),
            product: "Example".to_owned(),
            category: String::new(),
            details: Vec::new(),
            setup: String::new(),
            config_schema: json!({}),
            origins: Vec::new(),
            calls: Vec::new(),
            budgets: Vec::new(),
            data_streams: Vec::new(),
            maps: vec![bundled("endpoints", "1.0.0"), bundled("alerts", "1.0.1")],
        };
        let body = json!({"name": "mine", "title": "Ours\u{1b}[31m", "version": "2.0", "source": ["endpoints", "alerts"],
            "target": "safe", "asset": {"key": "id", "identity": {"mac": "mac[]"}}, "rules": [
                {"source": "id", "target": "externalId", "required": true},
                {"source": ["a", "b"], "target": "name", "convert": "first-of", "when": {"source": "a", "present": true}},
                {"target": "lastSeen", "placeholder": "last-seen"}]});
        let saved = SavedMap {
            version: version(2),
            body: body.to_string(),
        };
        Shelf::new(&manifest, OwnMaps::new(vec![saved]), &[])
    }

    fn version(number: u32) -> MapVersion {
        MapVersion {
            name: "mine".parse().unwrap(),
            number,
            hash: number.to_string().repeat(64),
            saved_at: Timestamp::from_ms(1_763_766_631_000).unwrap(),
        }
    }

    fn used(stream: &str, number: u32) -> Use {
        Use {
            connection: "xdr".parse().unwrap(),
            stream: stream.parse().unwrap(),
            origin: MapOrigin::Own(number),
            hash: number.to_string().repeat(64),
        }
    }

    fn now() -> Timestamp {
        Timestamp::from_ms(1_763_766_823_000).unwrap()
    }

    #[test]
    fn the_list_of_maps_is_as_recorded() {
        let shelf = shelf();
        insta::assert_snapshot!(table(&listed(&shelf), true, now()).render());
    }

    #[test]
    fn a_map_is_shown_as_recorded() {
        let shelf = shelf();
        let map = shelf.one("mine", None).unwrap();
        let shown = whole(&map, &shelf, now(), false);
        assert!(!shown.contains('\u{1b}'));
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn the_versions_of_a_map_are_as_recorded() {
        let (one, two) = (used("endpoints", 1), used("alerts", 2));
        let versions = self::versions(&[version(2), version(1)], &[&one, &two], now());
        insta::assert_snapshot!(versions.render());
    }

    #[test]
    fn who_is_behind_is_told_with_the_command() {
        let tenant = "acme".parse().unwrap();
        let users = [used("alerts", 1), used("endpoints", 1)];
        assert_eq!(
            behind(&version(2), &users, &tenant),
            [
                "connection xdr still uses version 1 for alerts and version 1 for endpoints; to give it this one: \
              host-runner update xdr --tenant acme --map alerts=mine --map endpoints=mine"
            ]
        );
    }
}
