//! `endpoints/get_endpoints` and `endpoints/get_endpoint`.

use std::collections::HashSet;

use serde_json::Value;

use super::Context;
use crate::json::Json;
use crate::query::{Filter, Keywords, PageRequest, Sort, Span};
use crate::reply::Reply;
use crate::selection::Selection;
use crate::tenant::Tenant;
use crate::tenant::endpoint::{Age, EndpointRow, Profile, TagsShown};
use crate::tenant::handle::parse_endpoint_id;
use crate::tenant::words::Word;

/// What the filters of `get_endpoint` ask for.
#[derive(Debug)]
struct Wanted {
    first_seen: Span,
    last_seen: Option<Span>,
    ids: Option<HashSet<u128>>,
    tests: Vec<Test>,
}

#[derive(Debug)]
enum Test {
    Status(Vec<Word>),
    Platform(Vec<String>),
    Isolate(Vec<String>),
    Scan(Vec<String>),
    Package(Vec<String>),
    Ip(Vec<String>),
    PublicIp(Vec<String>),
    Group(Vec<String>),
    Alias(Vec<String>),
    Hostname(Vec<String>),
    Username(Vec<String>),
    Cloud(CloudField, Vec<String>),
}

#[derive(Clone, Copy, Debug)]
enum CloudField {
    Provider,
    Region,
    Account,
    Instance,
    Id,
}

impl Wanted {
    fn read(tenant: &Tenant, filters: &[Filter]) -> Result<Self, String> {
        let mut wanted = Wanted {
            first_seen: Span::ALL,
            last_seen: None,
            ids: None,
            tests: Vec::new(),
        };
        for filter in filters {
            wanted.add(tenant, filter)?;
        }
        Ok(wanted)
    }

    fn add(&mut self, tenant: &Tenant, filter: &Filter) -> Result<(), String> {
        let status = |text: &str| {
            let word = tenant.endpoint_statuses.find(&text.to_uppercase());
            word.filter(|_| text.bytes().all(|byte| !byte.is_ascii_uppercase()))
        };
        let one_of = |known: &'static [&'static str]| {
            move |text: &str| known.contains(&text).then(|| text.to_owned())
        };
        match filter.field.as_str() {
            "first_seen" => return filter.narrow(&mut self.first_seen),
            "last_seen" => return filter.narrow(self.last_seen.get_or_insert(Span::ALL)),
            "endpoint_status" => filter.allow(&["in", "eq"])?,
            _ => {
                if !FIELDS.contains(&filter.field.as_str()) {
                    return Err(filter.unknown());
                }
                filter.allow(&["in"])?;
            }
        }
        let test = match filter.field.as_str() {
            "endpoint_id_list" => {
                let ids: HashSet<u128> = filter
                    .texts()?
                    .iter()
                    .filter_map(|id| parse_endpoint_id(id))
                    .collect();
                self.ids = Some(match self.ids.take() {
                    Some(before) => before.intersection(&ids).copied().collect(),
                    None => ids,
                });
                return Ok(());
            }
            "endpoint_status" => Test::Status(filter.words(status)?),
            "platform" => {
                Test::Platform(filter.words(one_of(&["windows", "linux", "macos", "android"]))?)
            }
            "isolate" => Test::Isolate(filter.words(one_of(&[
                "isolated",
                "unisolated",
                "pending_isolation",
            ]))?),
            "scan_status" => Test::Scan(filter.words(one_of(&SCAN_WORDS))?),
            "dist_name" => Test::Package(filter.texts()?),
            "ip_list" => Test::Ip(filter.texts()?),
            "public_ip_list" => Test::PublicIp(filter.texts()?),
            "group_name" => Test::Group(filter.texts()?),
            "alias" => Test::Alias(filter.texts()?),
            "hostname" => Test::Hostname(filter.texts()?),
            "username" => Test::Username(filter.texts()?),
            "cloud_provider" => Test::Cloud(CloudField::Provider, filter.texts()?),
            "cloud_region" => Test::Cloud(CloudField::Region, filter.texts()?),
            "cloud_provider_account_id" => Test::Cloud(CloudField::Account, filter.texts()?),
            "cloud_instance_id" => Test::Cloud(CloudField::Instance, filter.texts()?),
            "cloud_id" => Test::Cloud(CloudField::Id, filter.texts()?),
            _ => return Err(filter.unknown()),
        };
        self.tests.push(test);
        Ok(())
    }

    /// Whether nothing but `first_seen` is asked for, so that the index alone answers.
    fn by_index_alone(&self) -> bool {
        self.last_seen.is_none() && self.ids.is_none() && self.tests.is_empty()
    }

    fn matches(&self, tenant: &Tenant, row: &EndpointRow) -> bool {
        if self
            .last_seen
            .is_some_and(|span| !span.contains(tenant.last_seen(row)))
        {
            return false;
        }
        let status =
            |test: &Test| !matches!(test, Test::Status(words) if !words.contains(&row.status));
        if !self.tests.iter().all(status) {
            return false;
        }
        if self
            .tests
            .iter()
            .all(|test| matches!(test, Test::Status(_)))
        {
            return true;
        }
        let profile = tenant.profile(row);
        self.tests.iter().all(|test| test.matches(row, &profile))
    }
}

const FIELDS: [&str; 17] = [
    "endpoint_id_list",
    "endpoint_status",
    "dist_name",
    "ip_list",
    "public_ip_list",
    "group_name",
    "platform",
    "alias",
    "isolate",
    "hostname",
    "username",
    "scan_status",
    "cloud_provider",
    "cloud_region",
    "cloud_provider_account_id",
    "cloud_instance_id",
    "cloud_id",
];

const SCAN_WORDS: [&str; 8] = [
    "none",
    "pending",
    "in_progress",
    "canceled",
    "aborted",
    "pending_cancellation",
    "success",
    "error",
];

impl Test {
    fn matches(&self, row: &EndpointRow, profile: &Profile) -> bool {
        let has = |wanted: &[String], found: &str| wanted.iter().any(|text| text == found);
        let has_any =
            |wanted: &[String], found: Vec<String>| found.iter().any(|text| has(wanted, text));
        match self {
            Test::Status(words) => words.contains(&row.status),
            Test::Platform(wanted) => has(wanted, profile.os.platform()),
            Test::Isolate(wanted) => has(
                wanted,
                &isolated(row, profile)
                    .trim_start_matches("AGENT_")
                    .to_ascii_lowercase(),
            ),
            Test::Scan(wanted) => has(
                wanted,
                &profile
                    .scan_status
                    .trim_start_matches("SCAN_STATUS_")
                    .to_ascii_lowercase(),
            ),
            Test::Package(wanted) => has(wanted, profile.installation_package()),
            Test::Ip(wanted) => has_any(wanted, profile.ip()),
            Test::PublicIp(wanted) => has(wanted, &profile.public_ip()),
            Test::Group(wanted) => profile
                .groups()
                .into_iter()
                .flatten()
                .any(|group| has(wanted, group)),
            Test::Alias(wanted) => has(wanted, ""),
            Test::Hostname(wanted) => has(wanted, &Tenant::endpoint_name(row, profile)),
            Test::Username(wanted) => has_any(wanted, profile.users()),
            Test::Cloud(field, wanted) => profile.cloud.is_some_and(|cloud| match field {
                CloudField::Provider => has(wanted, cloud.provider),
                CloudField::Region => has(wanted, cloud.region),
                CloudField::Account => has(wanted, &account(&cloud)),
                CloudField::Instance => has(wanted, &instance(&cloud)),
                CloudField::Id => has(wanted, &cloud_id(&cloud)),
            }),
        }
    }
}

fn account(cloud: &crate::tenant::endpoint::Cloud) -> String {
    format!("{:012}", 100_000_000_000 + cloud.instance % 7)
}

fn instance(cloud: &crate::tenant::endpoint::Cloud) -> String {
    format!("i-{:016x}", cloud.instance)
}

fn cloud_id(cloud: &crate::tenant::endpoint::Cloud) -> String {
    format!(
        "{}:{}:{}",
        cloud.provider.to_ascii_lowercase(),
        cloud.region,
        instance(cloud)
    )
}

fn isolated<'a>(row: &'a EndpointRow, profile: &Profile) -> &'a str {
    let set = row
        .changes
        .as_ref()
        .and_then(|changes| changes.is_isolated.as_deref());
    set.unwrap_or(profile.isolated)
}

/// Rows that match, in order of a sort.
fn select<'a>(
    context: &Context,
    tenant: &'a Tenant,
    page: &PageRequest,
) -> Result<Selection<'a>, String> {
    let wanted = Wanted::read(tenant, &page.filters)?;
    let default = Sort {
        field: "first_seen".to_owned(),
        descending: true,
    };
    let sort = page.sort.as_ref().unwrap_or(&default);
    if !["endpoint_id", "first_seen", "last_seen", "scan_status"].contains(&sort.field.as_str()) {
        return Err(format!("sorting by {} is not supported", sort.field));
    }
    let part = wanted.first_seen.slice(&tenant.by_first_seen);
    if sort.field == "first_seen" && wanted.by_index_alone() {
        return Ok(Selection::Index {
            part,
            descending: sort.descending,
        });
    }
    let find = || rows(tenant, &wanted, part, sort);
    let volatile = tenant.moves() && (wanted.last_seen.is_some() || sort.field == "last_seen");
    Ok(Selection::Rows(if volatile {
        std::sync::Arc::new(find())
    } else {
        context
            .selections
            .get_or(format!("endpoints {}", page.key), tenant.revision, find)
    }))
}

/// Goes over the records; `part` is sorted by `first_seen`.
fn rows(tenant: &Tenant, wanted: &Wanted, part: &[(i64, u32)], sort: &Sort) -> Vec<u32> {
    let row = |at: u32| tenant.endpoints.get(at as usize);
    let matches = |at: &u32| row(*at).is_some_and(|row| wanted.matches(tenant, row));
    let mut found: Vec<u32> = match &wanted.ids {
        // A few ids: look them up instead of going over all.
        Some(ids) => {
            let mut known: Vec<(i64, u32)> = ids
                .iter()
                .filter_map(|id| tenant.endpoint_row(*id))
                .filter_map(|at| row(at).map(|row| (row.first_seen, at)))
                .filter(|(first_seen, _)| wanted.first_seen.contains(*first_seen))
                .collect();
            known.sort_unstable();
            known
                .into_iter()
                .map(|(_, at)| at)
                .filter(matches)
                .collect()
        }
        None => part.iter().map(|(_, at)| *at).filter(matches).collect(),
    };
    match sort.field.as_str() {
        "endpoint_id" => found.sort_by_cached_key(|at| row(*at).map(|row| tenant.profile(row).id)),
        "last_seen" => found.sort_by_cached_key(|at| row(*at).map(|row| tenant.last_seen(row))),
        "scan_status" => {
            found.sort_by_cached_key(|at| row(*at).map(|row| tenant.profile(row).scan_status))
        }
        _ => {}
    }
    if sort.descending {
        found.reverse();
    }
    found
}

/// `endpoints/get_endpoint`: the detailed, filtered and paged list.
pub fn get_endpoint(context: &Context, body: &Value) -> Reply {
    let tenant = context.tenant.read();
    let page = match PageRequest::read(body, Keywords::Upper) {
        Ok(page) => page,
        Err(reason) => return Reply::business(&reason),
    };
    let selection = match select(context, &tenant, &page) {
        Ok(selection) => selection,
        Err(reason) => return Reply::business(&reason),
    };
    let rows = selection.window(page.from, page.to);
    let mut json = Json::with_capacity(256 + rows.len() * 1_700);
    json.begin_object();
    json.key("reply");
    json.begin_object();
    super::counts(&mut json, context, selection.len(), rows.len());
    json.key("endpoints");
    json.begin_list();
    for at in rows {
        if let Some(row) = tenant.endpoints.get(at as usize) {
            write_endpoint(&mut json, &tenant, row);
        }
    }
    json.end_list();
    json.end_object();
    json.end_object();
    Reply::json(json.into_bytes())
}

/// `endpoints/get_endpoints`: all endpoints in brief, a bare list. Any body will do.
pub fn get_endpoints(context: &Context) -> Reply {
    let tenant = context.tenant.read();
    let mut json = Json::with_capacity(64 + tenant.by_first_seen.len() * 320);
    json.begin_object();
    json.key("reply");
    json.begin_list();
    for (_, at) in &tenant.by_first_seen {
        let Some(row) = tenant.endpoints.get(*at as usize) else {
            continue;
        };
        let profile = tenant.profile(row);
        json.begin_object();
        json.key("agent_id");
        json.hex(&[profile.id]);
        json.key_text("agent_status", tenant.endpoint_statuses.get(row.status));
        json.key_text("operational_status", profile.operational);
        json.key_text("host_name", &Tenant::endpoint_name(row, &profile));
        json.key_text(
            "agent_type",
            if profile.server {
                "Server"
            } else {
                "Workstation"
            },
        );
        json.key_list("ip", &profile.ip());
        json.key_int("last_seen", tenant.last_seen(row));
        write_tags(&mut json, row, &profile);
        json.key_list("users", &profile.users());
        json.end_object();
    }
    json.end_list();
    json.end_object();
    Reply::json(json.into_bytes())
}

fn write_tags(json: &mut Json, row: &EndpointRow, profile: &Profile) {
    let tags = row.tags(profile);
    match tags.shown {
        TagsShown::Object => {
            json.key("tags");
            json.begin_object();
            json.key_list("server_tags", &tags.server);
            json.key_list("endpoint_tags", &tags.endpoint);
            json.end_object();
        }
        TagsShown::Legacy => json.key_text(
            "endpointTags",
            tags.endpoint.first().copied().unwrap_or_default(),
        ),
        TagsShown::Absent => {}
    }
}

/// One record of `get_endpoint`. Old ones have fewer keys.
fn write_endpoint(json: &mut Json, tenant: &Tenant, row: &EndpointRow) {
    let profile = tenant.profile(row);
    let minimal = profile.age == Age::Minimal;
    json.begin_object();
    json.key("endpoint_id");
    json.hex(&[profile.id]);
    json.key_text("endpoint_name", &Tenant::endpoint_name(row, &profile));
    json.key_text("endpoint_type", profile.endpoint_type());
    json.key_text("endpoint_status", tenant.endpoint_statuses.get(row.status));
    json.key_text("os_type", profile.os.as_str());
    json.key_list("ip", &profile.ip());
    if profile.bits % 64 == 3 {
        // Some tenants answer one user as a text.
        json.key_text("users", profile.users().first().map_or("", String::as_str));
    } else {
        json.key_list("users", &profile.users());
    }
    json.key_text("domain", profile.domain);
    json.key_text("alias", "");
    json.key_int("first_seen", row.first_seen);
    json.key_int("last_seen", tenant.last_seen(row));
    json.key_text(
        "content_version",
        if minimal { "105-15865" } else { "1340-81514" },
    );
    json.key_text("installation_package", profile.installation_package());
    match (profile.age, profile.bits % 3) {
        (Age::NoTags | Age::Minimal, _) | (_, 0) => json.key_null("active_directory"),
        (_, 1) => json.key_list::<&str>("active_directory", &[]),
        _ => json.key_list("active_directory", &["OU=Computers", profile.site]),
    }
    json.key_int("install_date", row.first_seen);
    json.key_text("endpoint_version", profile.agent_version);
    json.key_text("is_isolated", isolated(row, &profile));
    match profile.groups() {
        None => json.key_null("group_name"),
        Some(groups) => json.key_list("group_name", &groups),
    }
    write_tags(json, row, &profile);
    if !minimal {
        write_current_keys(json, tenant, &profile);
    }
    json.end_object();
}

/// What records of newer agents have beyond the 19 keys of old ones.
fn write_current_keys(json: &mut Json, tenant: &Tenant, profile: &Profile) {
    json.key_text("os_version", profile.os_version);
    json.key_text("operating_system", profile.operating_system);
    json.key_list("ipv6", &profile.ipv6());
    json.key_text("public_ip", &profile.public_ip());
    json.key_list("mac_address", &profile.mac_address());
    let released = tenant.epoch - 86_400_000;
    json.key_int("content_release_timestamp", released);
    json.key_int("last_content_update_time", released + 3_600_000);
    json.key_text(
        "content_status",
        if profile.bits.is_multiple_of(5) {
            "up_to_date"
        } else {
            "UP_TO_DATE"
        },
    );
    json.key_null("isolated_date");
    json.key_text("operational_status", profile.operational);
    json.key("operational_status_details");
    json.begin_list();
    if profile.operational == "PROTECTED" {
        json.end_list();
        json.key_null("operational_status_description");
    } else {
        json.begin_object();
        json.key_text("title", "XDR Data Collection not running or not sent");
        json.key_text("reason", "Linux kernel version is not supported");
        json.end_object();
        json.end_list();
        json.key_text(
            "operational_status_description",
            r#"[{"name": "generalStatus", "error_code": 10004}]"#,
        );
    }
    json.key_text("scan_status", profile.scan_status);
    json.key_text(
        "assigned_prevention_policy",
        if profile.server {
            "Server Default"
        } else {
            "Workstation Default"
        },
    );
    json.key_text("assigned_extensions_policy", "");
    json.key_null("token_hash");
    if !profile.has_cloud_keys {
        return;
    }
    match profile.cloud {
        Some(cloud) => {
            json.key_text("cloud_provider", cloud.provider);
            json.key_text("cloud_region", cloud.region);
            json.key_text("cloud_provider_account_id", &account(&cloud));
            json.key_text("cloud_instance_id", &instance(&cloud));
            json.key_text("cloud_id", &cloud_id(&cloud));
        }
        None => {
            for key in [
                "cloud_provider",
                "cloud_region",
                "cloud_provider_account_id",
                "cloud_instance_id",
                "cloud_id",
            ] {
                json.key_null(key);
            }
        }
    }
}
