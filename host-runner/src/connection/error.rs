//! What keeps a connection from being set up, changed or used.

use std::path::PathBuf;

use crate::component::Difference;
use crate::contract::connector::Check;
use crate::contract::types::Problem;
use crate::domain::{ConnectionName, DataStreamName, TenantName};
use crate::egress::EgressError;
use crate::engine::CallError;
use crate::model::ModelError;
use crate::secrets::{KeyringError, SealError, SourceError};
use crate::store::{SetAside, StoreError};

/// Why a service could not do its work. Nothing was saved then, unless the message says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A secret could not be read where the user said.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is no master key.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// There is no master key to rotate.
    #[error(
        "there is no master key to rotate: no file master.key is in the data directory, and neither HOST_RUNNER_MASTER_KEY nor HOST_RUNNER_MASTER_KEY_COMMAND is set; \
         `keys show` says whether a connection lacks it, and the first `connect` makes one"
    )]
    NoKey,
    /// A secret could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A connection's secret could not be opened.
    #[error("connection \"{connection}\" of tenant \"{tenant}\" can't be used: {error}")]
    Sealed {
        /// Whose.
        tenant: TenantName,
        /// Which connection.
        connection: ConnectionName,
        /// Why, with the secret's name.
        error: SealError,
    },
    /// The component did not come to its end.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The way out can't be set up.
    #[error(transparent)]
    Egress(#[from] EgressError),
    /// The host has no such target model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The component answered something that the contract does not allow.
    #[error(
        "the connector broke the contract in `configure`: {0}; report it to the connector's author"
    )]
    Contract(String),
    /// The configuration is no JSON object.
    #[error("the configuration must be a JSON object, and is {0}")]
    NotAnObject(&'static str),
    /// The component found problems in the configuration.
    #[error("the configuration has {}", count(.0.len()))]
    Configuration(Vec<Problem>),
    /// A secret field does not hold a text.
    #[error("the secret `{0}` in the configuration must be a text")]
    SecretNotText(String),
    /// A secret stands in the configuration and is given beside it.
    #[error(
        "the secret `{0}` stands in the configuration and is given by --secret as well: give it once, best by --secret"
    )]
    SecretTwice(String),
    /// A field is a secret but for its spelling.
    #[error(
        "the configuration has a field `{name}`, and the connector's secret is named `{field}`: write it so, or give it with --secret {field}=env:VARIABLE"
    )]
    SecretMisspelt {
        /// What was typed.
        name: String,
        /// The secret's name.
        field: String,
    },
    /// A secret's value stands in a field that is none.
    #[error(
        "the value of the secret `{name}` stands at {pointer} of the configuration too, where the connector would see it: take it out there"
    )]
    SecretElsewhere {
        /// The secret's name.
        name: String,
        /// Where else its value stands.
        pointer: String,
    },
    /// The connector has no such secret.
    #[error("the connector has no secret field `{name}`{hint}; it has {}", known(.fields))]
    NoSuchSecret {
        /// What was given.
        name: String,
        /// The nearest, where one is near.
        hint: String,
        /// What there is.
        fields: Vec<String>,
    },
    /// The connector's requests need a secret that is not there.
    #[error(
        "the secret `{0}` is missing: give it with --secret {0}=env:VARIABLE, file:PATH or - for standard input"
    )]
    SecretMissing(String),
    /// A certificate that is kept with the connection can't be read.
    #[error(
        "an authority's certificate that is kept with connection \"{0}\" is damaged: give the file again with `host-runner update --ca-file`"
    )]
    Authority(ConnectionName),
    /// A secret of the host's own is not there.
    #[error(
        "the secret `{name}` of connection \"{connection}\" is gone from the store: give the proxy again with `host-runner update --proxy`"
    )]
    SecretLost {
        /// Which connection.
        connection: ConnectionName,
        /// The secret's name.
        name: String,
    },
    /// The proxy's user and password can't be opened.
    #[error(
        "the proxy's user and password of connection \"{connection}\" can't be read: {error}; or give the proxy again with `host-runner update --proxy`"
    )]
    ProxyCredentials {
        /// Which connection.
        connection: ConnectionName,
        /// Why.
        error: SealError,
    },
    /// An origin breaks the host's rules or no rule of the manifest covers it.
    #[error("the origin `{name}` ({origin}) is refused: {reason}")]
    Origin {
        /// Its name in the manifest.
        name: String,
        /// What `configure` gave.
        origin: String,
        /// Why.
        reason: String,
    },
    /// `update` would lead to another origin.
    #[error(
        "the new configuration leads to {to}, connection \"{connection}\" to {from}: the data would be mixed; connect it under another name"
    )]
    OtherOrigin {
        /// Which connection.
        connection: ConnectionName,
        /// Where it goes.
        from: String,
        /// Where it would go.
        to: String,
    },
    /// The connection is bound to another build of the component.
    #[error(
        "connection \"{connection}\" was set up with version {bound_version} of the connector (SHA-256 {}...), and version {version} (SHA-256 {}...) is loaded",
        short(.bound), short(.sha256)
    )]
    OtherBuild {
        /// Which connection.
        connection: ConnectionName,
        /// The version that it is bound to.
        bound_version: String,
        /// The build that it is bound to.
        bound: String,
        /// The version that is loaded.
        version: String,
        /// The build that is loaded.
        sha256: String,
    },
    /// The build that it would be moved to reaches further than the one that it is bound to.
    #[error(
        "version {to} of the connector reaches further than version {from}, with which connection \"{connection}\" was set up"
    )]
    ReachesFurther {
        /// Which connection.
        connection: ConnectionName,
        /// The version that it is bound to.
        from: String,
        /// The version that is loaded.
        to: String,
        /// In what.
        further: Vec<Difference>,
    },
    /// What the build that it is bound to could reach is not known.
    #[error(
        "what the build could reach that connection \"{connection}\" was set up with is not known, so the loaded one can't be compared with it"
    )]
    ReachUnknown {
        /// Which connection.
        connection: ConnectionName,
    },
    /// The connection is of another connector.
    #[error(
        "connection \"{connection}\" is one of the connector `{bound}`, and `{loaded}` is loaded: give the right one with --plugin"
    )]
    OtherConnector {
        /// Which connection.
        connection: ConnectionName,
        /// Its connector.
        bound: String,
        /// The one that is loaded.
        loaded: String,
    },
    /// The test found what a sync could not do without.
    #[error("the test failed: {}", failed(.0))]
    TestFailed(Vec<Check>),
    /// No target model fits.
    #[error(
        "no target model has a map for each of the chosen data streams ({streams}): choose maps with --map STREAM=NAME|FILE"
    )]
    NoTarget {
        /// The chosen streams.
        streams: String,
    },
    /// There is no such target or map.
    #[error(
        "there is no map or target `{name}` for the data stream `{stream}`{hint}: there is {known}; or give a file"
    )]
    NoSuchMap {
        /// The stream.
        stream: String,
        /// What was asked for.
        name: String,
        /// The nearest, where one is near.
        hint: String,
        /// What there is.
        known: String,
    },
    /// A map that is given for all data streams takes none of them.
    #[error(
        "the map `{map}` takes {takes}, and the configuration chooses {chosen}: choose another map, or other data streams"
    )]
    MapForNone {
        /// The map's name.
        map: String,
        /// The data streams that it takes.
        takes: String,
        /// What is chosen.
        chosen: String,
    },
    /// There is no map of that name.
    #[error("there is no map `{name}`{hint}: there is {known}")]
    NoMap {
        /// What was asked for.
        name: String,
        /// The nearest, where one is near.
        hint: String,
        /// What there is.
        known: String,
    },
    /// A map has no version of that number.
    #[error("the map `{name}` has no version {number}: {known}")]
    NoMapVersion {
        /// The map's name.
        name: String,
        /// What was asked for.
        number: u32,
        /// What there is.
        known: String,
    },
    /// One version is named where a map is meant with all its versions.
    #[error(
        "`{name}@{number}` names one version, and a map is {done} with all its versions: name it without @{number}"
    )]
    MapVersionNamed {
        /// The map's name.
        name: String,
        /// The version that was named.
        number: u32,
        /// What is done with a whole map: removed, listed.
        done: &'static str,
    },
    /// None of the connector's maps of that name takes the data stream.
    #[error("the map `{name}` is for {takes}, not for the data stream `{stream}`{others}")]
    MapForOthers {
        /// The map's name.
        name: String,
        /// The data streams that it takes.
        takes: String,
        /// The one that was asked for.
        stream: String,
        /// The connector's maps for that one, as a further half sentence.
        others: String,
    },
    /// The connector has no such data stream.
    #[error("the connector has no data stream `{stream}`{hint}: it has {known}")]
    NoSuchStream {
        /// What was asked for.
        stream: String,
        /// The nearest, where one is near.
        hint: String,
        /// What there is.
        known: String,
    },
    /// The connector has no map of a data stream, so nothing says what its records are known by.
    #[error(
        "the connector has no map for the data stream `{0}` to begin with: write one and give it to `maps import`"
    )]
    NothingToBeginWith(String),
    /// A name stands for several maps of the connector.
    #[error("`{name}` is {} of the connector's maps: {}", .maps.len(), .maps.join("; "))]
    SeveralMaps {
        /// The name.
        name: String,
        /// The data streams of each.
        maps: Vec<String>,
    },
    /// The connector's own maps can't be changed.
    #[error("`{0}` is one of the connector's maps, which are read-only")]
    MapReadOnly(String),
    /// A name for a map that is taken.
    #[error("a map can't be named `{name}`: {reason}")]
    MapName {
        /// The name.
        name: String,
        /// What it is already, or what is wrong with it.
        reason: String,
    },
    /// A map that connections use is not removed.
    #[error("the map `{name}` is used by {}", .users.join(", "))]
    MapInUse {
        /// The map's name.
        name: String,
        /// By which connections, with their data streams.
        users: Vec<String>,
    },
    /// Someone saved another version of a map meanwhile.
    #[error("the map `{name}` was changed meanwhile: {now}")]
    MapOvertaken {
        /// The map's name.
        name: String,
        /// How it stands now.
        now: String,
    },
    /// What is kept as a map is none.
    #[error(
        "the map `{name}` can't be read from the tenant's store ({reason}): save it anew with `maps import`"
    )]
    MapDamaged {
        /// The map's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A map that was to be saved or checked is wrong.
    #[error("the map `{name}` has {}", count(.problems.len()))]
    MapWrong {
        /// The map's name, or its file's.
        name: String,
        /// What is wrong with it.
        problems: Vec<Problem>,
    },
    /// `--map` names a stream that is not chosen.
    #[error(
        "--map names the data stream `{stream}`, which the configuration does not choose: it chooses {chosen}"
    )]
    MapForOtherStream {
        /// What was named.
        stream: String,
        /// What is chosen.
        chosen: String,
    },
    /// `--map` names the same thing twice.
    #[error("--map is given twice for {0}: give it once")]
    MapTwice(String),
    /// The maps lead to different target models.
    #[error(
        "the map of `{stream}` is for the target {target}, the others for {other}: a connection has one target"
    )]
    MixedTargets {
        /// The stream.
        stream: String,
        /// Its map's target.
        target: String,
        /// The target of the others.
        other: String,
    },
    /// A map's file can't be read.
    #[error("the map {} can't be read: {reason}", path.display())]
    MapFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A map is wrong.
    #[error("the map `{map}` for `{stream}` has {}", count(.problems.len()))]
    Map {
        /// The map's name.
        map: String,
        /// The stream that it is for.
        stream: DataStreamName,
        /// What is wrong with it.
        problems: Vec<Problem>,
    },
    /// The configuration chooses no such data stream.
    #[error(
        "connection \"{connection}\" does not read the data stream `{stream}`: it reads {chosen}"
    )]
    StreamNotChosen {
        /// Which connection.
        connection: ConnectionName,
        /// What was asked for.
        stream: DataStreamName,
        /// What there is.
        chosen: String,
    },
    /// The connection is set aside.
    #[error("connection \"{connection}\" is set aside since {}: {set_aside}", set_aside.at)]
    SetAside {
        /// Whose.
        tenant: TenantName,
        /// Which connection.
        connection: ConnectionName,
        /// Why.
        set_aside: SetAside,
    },
}

impl ConnectionError {
    /// The problems, where it is about a document.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Configuration(problems)
            | Self::Map { problems, .. }
            | Self::MapWrong { problems, .. } => problems,
            _ => &[],
        }
    }
}

fn count(number: usize) -> String {
    if number == 1 {
        "a problem".to_owned()
    } else {
        format!("{number} problems")
    }
}

fn known(fields: &[String]) -> String {
    if fields.is_empty() {
        "none".to_owned()
    } else {
        fields.join(", ")
    }
}

fn short(sha256: &str) -> &str {
    sha256.get(..12).unwrap_or(sha256)
}

fn failed(checks: &[Check]) -> String {
    let names: Vec<&str> = checks
        .iter()
        .filter(|check| check.verdict == crate::contract::connector::Verdict::Failed)
        .map(|check| check.name.as_str())
        .collect();
    names.join(", ")
}
