//! Setting up, changing, listing, testing and removing connections.

use std::path::PathBuf;

use clap::Args;

use super::pace::PaceArgs;
use super::values::{InputFile, OnOff};
use crate::connection::MapArgument;
use crate::domain::{ConnectionName, TenantName};

/// A connection, by its name and tenant.
#[derive(Debug, Clone, Args)]
pub struct Named {
    /// The connection's name
    pub name: ConnectionName,

    /// The tenant that it belongs to
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,
}

/// A connection by its name and tenant, or all there are; for `sync`, which can do with a recording instead.
#[derive(Debug, Clone, Args)]
pub struct NamedOrAll {
    /// The connection's name
    #[arg(required_unless_present_any = ["all", "replay"])]
    pub name: Option<ConnectionName>,

    /// The tenant that it belongs to
    #[arg(long, value_name = "TENANT", required_unless_present_any = ["all", "replay"])]
    pub tenant: Option<TenantName>,

    /// All connections of the tenant, or of all tenants
    #[arg(long, conflicts_with_all = ["name", "dry_run", "confirm_removals"])]
    pub all: bool,

    /// Of all connections, so many at the same time
    #[arg(long, value_name = "N", default_value_t = 4, requires = "all", value_parser = clap::value_parser!(u8).range(1..=64))]
    pub at_once: u8,
}

impl NamedOrAll {
    /// The one that is named, where one is.
    pub fn one(&self) -> Option<Named> {
        Some(Named {
            name: self.name.clone()?,
            tenant: self.tenant.clone()?,
        })
    }
}

/// What `configure` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Check and complete a configuration, and save nothing",
    long_about = "Check a configuration and complete it with the connector's defaults. Prints the completed configuration and the \
        origin that it leads to, or all of its problems at once, each with the place in the document. Makes no request and saves \
        nothing.\n\n`host-runner inspect` lists the fields.",
    after_long_help = "Example:\n  \
        echo '{\"baseUrl\": \"api.example.com\", \"apiKeyId\": 7}' |\n    \
        host-runner configure --config - --secret apiKey=env:API_KEY"
)]
pub struct ConfigureArgs {
    /// The configuration as a JSON document; `-` reads standard input
    #[arg(long, value_name = "FILE|-")]
    pub config: InputFile,

    /// A secret's field and where to read it, as for `connect`; its value is not used here
    #[arg(long = "secret", value_name = "FIELD=SOURCE")]
    pub secrets: Vec<String>,

    /// Limits of the component.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `connect` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Set up a tenant's connection: configure, test, save",
    long_about = "Set up a tenant's connection: complete the configuration, show the origin that it leads to, test everything that a \
        sync will need, and save. Nothing is saved when one of them fails. The secrets are encrypted in the store, and the component \
        never sees them.\n\nA secret is best kept out of the configuration and given by --secret. One that stands in the \
        configuration nonetheless is taken out of it before the component sees it.",
    after_long_help = "Examples:\n  \
        host-runner connect xdr --tenant acme --config xdr.json --secret apiKey=env:API_KEY\n  \
        host-runner connect xdr --tenant acme --config xdr.json --secret apiKey=file:key.txt --map qualys-etm\n  \
        host-runner connect xdr --tenant acme --config xdr.json --secret apiKey=env:API_KEY --ca-file company-ca.pem --proxy env:PROXY_URL"
)]
pub struct ConnectArgs {
    /// A name for the connection, unique in the tenant
    pub name: ConnectionName,

    /// The tenant to connect; its store is made when it has none yet
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,

    /// The configuration as a JSON document; `-` reads standard input
    #[arg(long, value_name = "FILE|-")]
    pub config: InputFile,

    /// What is common with `update`.
    #[command(flatten)]
    pub settings: SettingsArgs,

    /// Limits and pace.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `update` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Change a connection's configuration, key, map or component, and keep its data",
    long_about = "Change a connection and keep its data: another configuration, another key, another map, another build of the \
        component. What is not given stays. A configuration that leads to another origin is refused: that would be another tenant's \
        data under the same name.\n\nA connection is bound to the build of the component that it was set up with. \
        --upgrade moves it to another build: the new build checks and completes the saved configuration again. A build that reaches \
        further (one more import, origin, call, permission, data stream or secret, a call that changes something, a larger budget) is \
        refused with the list of it and exit code 12; `host-runner inspect OLD --against NEW` shows the same. --accept-reach takes it \
        nonetheless.\n\nWhere documents would be made otherwise now, they are made anew at once from the records that are kept, without a \
        request. --what-if tells before what that comes to.",
    after_long_help = "Examples:\n  \
        host-runner update xdr --tenant acme --secret apiKey=env:NEW_KEY\n  \
        host-runner update xdr --tenant acme --map qualys-etm --what-if\n  \
        host-runner update xdr --tenant acme --plugin my_connector-0.2.0.wasm --upgrade"
)]
pub struct UpdateArgs {
    /// Which connection.
    #[command(flatten)]
    pub connection: Named,

    /// A new configuration as a JSON document, which replaces the saved one; `-` reads standard input
    #[arg(long, value_name = "FILE|-")]
    pub config: Option<InputFile>,

    /// What is common with `connect`.
    #[command(flatten)]
    pub settings: SettingsArgs,

    /// Tell what the change would do to what is held, and change nothing: how many assets leave scope, findings attach or close, names and other
    /// values become others, with examples. Done on a copy of the tenant's data, without a request and without a test. What a wider filter
    /// would bring in only a sync can tell
    #[arg(long)]
    pub what_if: bool,

    /// With --what-if: so many examples of each kind [default: 3]
    #[arg(long, value_name = "N", requires = "what_if")]
    pub examples: Option<u32>,

    /// Move the connection to the build of the component that is loaded now
    #[arg(long)]
    pub upgrade: bool,

    /// With --upgrade: also where that build reaches further than the one before, as the refusal lists it
    #[arg(long, requires = "upgrade")]
    pub accept_reach: bool,

    /// Limits and pace.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `connect` and `update` have in common.
#[derive(Debug, Clone, Args)]
pub struct SettingsArgs {
    /// A secret's field and where to read it: apiKey=env:VARIABLE, apiKey=file:PATH, or apiKey=- for standard input
    #[arg(long = "secret", value_name = "FIELD=SOURCE")]
    pub secrets: Vec<String>,

    /// A line about the connection, for people
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,

    /// The target model to map to, such as safe or qualys-etm; or one stream's map by name or file: endpoints=my-map.json.
    /// May be given several times [default: the first target that has a map for each chosen stream]
    #[arg(long = "map", value_name = "TARGET|STREAM=NAME|FILE")]
    pub maps: Vec<MapArgument>,

    /// Trust the authorities whose certificates (PEM) stand in this file, beside this machine's own and for this connection alone; `none` forgets
    /// them. They are kept with the connection, so the file may move
    #[arg(long, value_name = "FILE|none")]
    pub ca_file: Option<PathBuf>,

    /// Send requests through this proxy (CONNECT), such as http://proxy.example.com:3128; `none` forgets it. With a user and a password give
    /// env:VARIABLE, file:PATH or `-` for standard input, which hold http://user:password@host:port. HTTPS_PROXY and its kind are not read
    #[arg(long, value_name = "URL|SOURCE|none")]
    pub proxy: Option<String>,

    /// Allow an origin on this machine, also by http: for the simulator, never for a tenant
    #[arg(long)]
    pub allow_loopback: bool,

    /// Leave users' names out of all that is kept: values that the connector marks as users' are dropped from each record, and the names in them replaced
    /// by (user) in the record's other texts, in paths say. Names of hosts stay. What is kept already is cleaned. What the connector itself
    /// says (log lines) is not looked through. =off turns it off
    #[arg(long, value_name = "on|off", num_args = 0..=1, require_equals = true, default_missing_value = "on")]
    pub leave_out_users: Option<OnOff>,

    /// Save without testing; the connection is remembered as untested
    #[arg(long)]
    pub skip_test: bool,
}

/// What `connections` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "List the connections of a tenant, or of all",
    long_about = "List the connections of a tenant, or of all tenants: the connector and its version, the origin, whether it was tested, and how its last sync \
        ended.",
    after_long_help = "Example:\n  host-runner connections --tenant acme"
)]
pub struct ConnectionsArgs {
    /// The tenant [default: all]
    #[arg(long, value_name = "TENANT")]
    pub tenant: Option<TenantName>,
}

/// What `disconnect` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Remove a connection, with or without what came by it",
    long_about = "Remove a connection and its secrets. The assets and findings that came by it are kept, unless --purge is given: then \
        what no other connection feeds is erased too, with the runs and the source records.",
    after_long_help = "Example:\n  host-runner disconnect xdr --tenant acme --purge"
)]
pub struct DisconnectArgs {
    /// Which connection.
    #[command(flatten)]
    pub connection: Named,

    /// Erase what came by this connection as well
    #[arg(long)]
    pub purge: bool,
}

/// What `purge` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Erase all of a tenant",
    long_about = "Erase all of a tenant: its connections with their secrets, its assets, findings, records, runs and locks. What will go is shown first, and \
        on a terminal the tenant's name must be typed; elsewhere --yes must be given. Refused while anything else works with the tenant, a sync, say. \
        Other tenants are left as they are.\n\nAn erasure that is killed half-way is finished by the next command. Compiled components, which hold \
        nothing of a tenant, and recordings, which stand where they were written, stay. To erase one connection: `disconnect --purge`.",
    after_long_help = "Examples:\n  host-runner purge --tenant acme\n  host-runner purge --tenant acme --yes --json"
)]
pub struct PurgeArgs {
    /// The tenant
    #[arg(long, value_name = "TENANT")]
    pub tenant: TenantName,

    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// What `reinstate` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Let a connection run again that was set aside",
    long_about = "Let a connection run again that was set aside. A connection is set aside when its component ended three runs in a row, of the \
        connection or of one of its data streams: by a trap, at a limit, or by breaking the contract. What the API answers, a sync that is \
        stopped and a process that is killed do not count, and a run that comes to its end begins the count anew. Other connections go \
        on meanwhile.\n\nLook at the run first: `status` names it. Moving the connection to another build (`update --upgrade`) lets it run \
        again, too.",
    after_long_help = "Example:\n  host-runner reinstate xdr --tenant acme"
)]
pub struct ReinstateArgs {
    /// Which connection.
    #[command(flatten)]
    pub connection: Named,
}

/// What `test` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Test a connection: the host, the key, each permission and licence that a sync will need",
    long_about = "Test a connection with the saved configuration and key. A report, not a yes or no: each thing that a sync will need is \
        tried, and what was seen is told with what to do about it. What no chosen data stream needs is skipped. Ends with exit \
        code 4 where a check failed.",
    after_long_help = "Example:\n  host-runner test xdr --tenant acme"
)]
pub struct TestArgs {
    /// Which connection.
    #[command(flatten)]
    pub connection: Named,

    /// Limits and pace.
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// What `status` takes.
#[derive(Debug, Clone, Args)]
#[command(
    about = "Show a connection's card: its running, last and next sync, state, counts and times",
    long_about = "Show a connection's card, without a request: the type of the running, last and next sync and why, the state (queued, \
        running, processed, failed, cancelled or withheld), what the last sync of each data stream read and changed, when, and what \
        is held now; whether the connection was tested; the switches and the map in force.",
    after_long_help = "Example:\n  host-runner status xdr --tenant acme"
)]
pub struct StatusArgs {
    /// Which connection.
    #[command(flatten)]
    pub connection: Named,
}
