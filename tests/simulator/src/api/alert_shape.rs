//! How one alert is written in each of the three shapes.

use std::sync::LazyLock;

use crate::json::Json;
use crate::options::AlertShape;
use crate::tenant::Tenant;
use crate::tenant::alert::{AlertProfile, AlertRow, On};
use crate::tenant::endpoint::{EndpointRow, Os, Profile};

/// An alert with all that its record is made of.
struct Alert<'a> {
    row: &'a AlertRow,
    profile: AlertProfile,
    host: Option<Host>,
    tenant: &'a Tenant,
}

/// What an alert knows of its endpoint.
struct Host {
    name: String,
    profile: Profile,
}

/// What stands under a key of an event.
#[derive(Clone, Copy)]
enum Field {
    Null,
    NotApplicable,
    EventType,
    Timestamp,
    ModuleId,
    ImageName,
    ImagePath,
    Command,
    Sha256,
    Md5,
    Pid,
    ParentName,
    User,
    RemoteIp,
    RemotePort,
    LocalIp,
    LocalPort,
    Domain,
    Country,
    InstallType,
    Signature,
}

/// The keys of an event, in the order of the API's own replies.
const EVENT: [(&str, Field); 62] = [
    ("agent_install_type", Field::InstallType),
    ("agent_host_boot_time", Field::Null),
    ("event_sub_type", Field::Null),
    ("module_id", Field::ModuleId),
    ("association_strength", Field::Null),
    ("dst_association_strength", Field::Null),
    ("story_id", Field::Null),
    ("event_id", Field::Null),
    ("event_type", Field::EventType),
    ("event_timestamp", Field::Timestamp),
    ("actor_process_instance_id", Field::Null),
    ("actor_process_image_path", Field::ImagePath),
    ("actor_process_image_name", Field::ImageName),
    ("actor_process_command_line", Field::Command),
    ("actor_process_signature_status", Field::Signature),
    ("actor_process_signature_vendor", Field::Null),
    ("actor_process_image_sha256", Field::Sha256),
    ("actor_process_image_md5", Field::Md5),
    ("actor_process_causality_id", Field::Null),
    ("actor_causality_id", Field::Null),
    ("actor_process_os_pid", Field::Pid),
    ("actor_thread_thread_id", Field::Null),
    ("causality_actor_process_image_name", Field::ParentName),
    ("causality_actor_process_command_line", Field::Null),
    ("causality_actor_process_image_path", Field::Null),
    ("causality_actor_process_signature_vendor", Field::Null),
    (
        "causality_actor_process_signature_status",
        Field::NotApplicable,
    ),
    ("causality_actor_causality_id", Field::Null),
    ("causality_actor_process_execution_time", Field::Null),
    ("causality_actor_process_image_md5", Field::Null),
    ("causality_actor_process_image_sha256", Field::Null),
    ("action_file_path", Field::Null),
    ("action_file_name", Field::Null),
    ("action_file_md5", Field::Null),
    ("action_file_sha256", Field::Null),
    ("action_file_macro_sha256", Field::Null),
    ("action_registry_data", Field::Null),
    ("action_registry_key_name", Field::Null),
    ("action_registry_value_name", Field::Null),
    ("action_registry_full_key", Field::Null),
    ("action_local_ip", Field::LocalIp),
    ("action_local_port", Field::LocalPort),
    ("action_remote_ip", Field::RemoteIp),
    ("action_remote_port", Field::RemotePort),
    ("action_external_hostname", Field::Domain),
    ("action_country", Field::Country),
    ("action_process_instance_id", Field::Null),
    ("action_process_image_name", Field::Null),
    ("action_process_image_sha256", Field::Null),
    ("action_process_image_command_line", Field::Null),
    ("action_process_signature_status", Field::NotApplicable),
    ("os_actor_process_image_name", Field::Null),
    ("os_actor_process_command_line", Field::Null),
    ("os_actor_process_signature_status", Field::NotApplicable),
    ("os_actor_process_os_pid", Field::Null),
    ("fw_app_id", Field::Null),
    ("fw_rule", Field::Null),
    ("fw_device_name", Field::Null),
    ("fw_is_phishing", Field::NotApplicable),
    ("dns_query_name", Field::Domain),
    ("dst_agent_id", Field::Null),
    ("user_name", Field::User),
];

/// A piece of an event: keys that are always null are put together once, as they are most of an event.
enum Piece {
    Nulls(String),
    Key(&'static str, Field),
}

static PIECES: LazyLock<Vec<Piece>> = LazyLock::new(|| {
    let mut pieces = Vec::new();
    for (key, field) in EVENT {
        match (field, pieces.last_mut()) {
            (Field::Null, Some(Piece::Nulls(text))) => text.push_str(&format!(", \"{key}\": null")),
            (Field::Null, _) => pieces.push(Piece::Nulls(format!("\"{key}\": null"))),
            (field, _) => pieces.push(Piece::Key(key, field)),
        }
    }
    pieces
});

/// Writes one alert.
pub fn write_alert(json: &mut Json, tenant: &Tenant, row: &AlertRow, shape: AlertShape) {
    let host = |endpoint: &EndpointRow| {
        let profile = tenant.profile(endpoint);
        Host {
            name: Tenant::endpoint_name(endpoint, &profile),
            profile,
        }
    };
    let host = match row.on {
        On::Row(at) => tenant.endpoints.get(at as usize).map(host),
        On::Nothing | On::Ghost => None,
    };
    let alert = Alert {
        row,
        profile: AlertProfile::derive(tenant.seed, row.serial),
        host,
        tenant,
    };
    json.begin_object();
    alert.write_head(json, shape);
    match shape {
        AlertShape::Events => {
            json.key("events");
            json.begin_list();
            for number in 0..alert.profile.events {
                json.begin_object();
                alert.write_event(json, |json, field| {
                    alert.write_field(json, field, number, shape)
                });
                json.end_object();
            }
            json.end_list();
        }
        AlertShape::Flat => {
            json.key_int("events_length", alert.profile.events as i64);
            alert.write_event(json, |json, field| alert.write_field(json, field, 0, shape));
        }
        AlertShape::Columnar => {
            json.key_null("events");
            alert.write_event(json, |json, field| {
                json.begin_list();
                for number in 0..alert.profile.events {
                    alert.write_field(json, field, number, shape);
                }
                json.end_list();
            });
        }
    }
    alert.write_tail(json, shape);
    json.end_object();
}

impl Alert<'_> {
    /// Writes the keys of an event, the values by `write`.
    fn write_event(&self, json: &mut Json, write: impl Fn(&mut Json, Field)) {
        for piece in PIECES.iter() {
            match piece {
                Piece::Nulls(text) => json.ready(text),
                Piece::Key(key, field) => {
                    json.key(key);
                    write(json, *field);
                }
            }
        }
    }

    fn write_head(&self, json: &mut Json, shape: AlertShape) {
        let (row, profile, tenant) = (self.row, &self.profile, self.tenant);
        json.key("external_id");
        json.hex(&[profile.external_id]);
        json.key_text("severity", tenant.alert_severities.get(row.severity));
        json.key_text(
            "matching_status",
            if self.host.is_some() {
                "MATCHED"
            } else {
                "UNMATCHABLE"
            },
        );
        json.key_null("end_match_attempt_ts");
        json.key_int("local_insert_ts", row.inserted);
        json.key("last_modified_ts");
        match row.modified {
            0 => json.null(),
            time => json.int(time),
        }
        json.key_null("bioc_indicator");
        json.key_null("matching_service_rule_id");
        json.key_null("variation_rule_id");
        json.key_int("attempt_counter", (profile.bits % 3) as i64);
        json.key_null("bioc_category_enum_key");
        json.key("case_id");
        match super::incidents::case_of(tenant, row) {
            Some(case) => json.int(i64::from(case)),
            None => json.null(),
        }
        json.key_bool("is_whitelisted", false);
        json.key_bool("starred", profile.starred);
        json.key_null("deduplicate_tokens");
        json.key_null("filter_rule_id");
        self.write_names(
            json,
            "mitre_technique_id_and_name",
            profile.mitre(profile.kind.technique),
            shape,
        );
        self.write_names(
            json,
            "mitre_tactic_id_and_name",
            profile.mitre(profile.kind.tactic),
            shape,
        );
        self.write_agent(json, shape);
        json.key_bool("is_pcap", false);
        json.key_text("alert_type", "Unclassified");
        json.key_text("alert_domain", "DOMAIN_SECURITY");
        json.key_text("resolution_status", tenant.alert_statuses.get(row.status));
        json.key_null("resolution_comment");
        json.key_null("dynamic_fields");
        let tag = if self.host.is_some() {
            "DS:PANW/XDR Agent"
        } else {
            "DS:PANW/NGFW"
        };
        match shape {
            AlertShape::Flat => json.key_text("tags", tag),
            _ => json.key_list("tags", &[tag]),
        }
        json.key_null("malicious_urls");
    }

    fn write_agent(&self, json: &mut Json, shape: AlertShape) {
        let profile = self.host.as_ref().map(|host| &host.profile);
        json.key_opt(
            "agent_version",
            profile.map(|profile| profile.agent_version),
        );
        json.key_null("agent_ip_addresses_v6");
        json.key_opt(
            "agent_device_domain",
            profile
                .map(|profile| profile.domain)
                .filter(|domain| !domain.is_empty()),
        );
        json.key_opt(
            "agent_fqdn",
            self.host.as_ref().map(|host| host.name.as_str()),
        );
        let os = match profile.map(|profile| profile.os) {
            Some(Os::Windows) => "Windows",
            Some(Os::Linux) => "Linux",
            Some(Os::Mac) => "Mac",
            None => "NO_HOST",
        };
        json.key_text("agent_os_type", os);
        json.key_opt(
            "agent_os_sub_type",
            profile.map(|profile| profile.os_version),
        );
        json.key("agent_data_collection_status");
        match profile {
            Some(_) => json.bool(true),
            None => json.null(),
        }
        let macs = profile.map(Profile::mac_address).unwrap_or_default();
        json.key_opt(
            "mac",
            macs.first()
                .filter(|_| shape == AlertShape::Flat)
                .map(String::as_str),
        );
        if shape != AlertShape::Flat {
            json.key("mac_address");
            match macs.is_empty() {
                true => json.null(),
                false => {
                    json.begin_list();
                    macs.iter().for_each(|mac| json.text(mac));
                    json.end_list();
                }
            }
        }
        json.key_null("agent_is_vdi");
        let featured = if self.profile.featured { "YES" } else { "NO" };
        json.key_text("contains_featured_host", featured);
        json.key_text("contains_featured_user", "NO");
        json.key_text("contains_featured_ip", "NO");
    }

    fn write_tail(&self, json: &mut Json, shape: AlertShape) {
        let (row, profile, tenant) = (self.row, &self.profile, self.tenant);
        json.key("alert_id");
        json.plain(format_args!("{}", row.id));
        json.key_int("detection_timestamp", row.created);
        json.key_text("name", profile.kind.name);
        json.key_opt("category", profile.kind.category);
        json.key("endpoint_id");
        match tenant.alert_endpoint(row) {
            Some(id) => json.hex(&[id]),
            None => json.null(),
        }
        json.key_text("description", profile.kind.description);
        json.key("host_ip");
        match (&self.host, shape) {
            (Some(host), AlertShape::Flat) if !profile.no_address => {
                json.text(host.profile.ip().first().map_or("", String::as_str));
            }
            (Some(host), _) if !profile.no_address => {
                json.begin_list();
                host.profile.ip().iter().for_each(|ip| json.text(ip));
                json.end_list();
            }
            (None, AlertShape::Events) if profile.bits % 2 == 0 => {
                json.begin_list();
                json.end_list();
            }
            _ => json.null(),
        }
        let source = tenant.alert_sources.get(row.source);
        json.key("host_name");
        match &self.host {
            Some(host) => json.text(&host.name),
            None if row.on == On::Ghost => json.plain(format_args!("gone-{:06}", row.serial)),
            None => json.null(),
        }
        json.key_opt("source", Some(source).filter(|source| !source.is_empty()));
        json.key_text("action", profile.action.0);
        json.key_text("action_pretty", profile.action.1);
    }

    /// MITRE names: text in the flat shape, a list in the others, null in both when there is none.
    fn write_names(&self, json: &mut Json, key: &str, name: Option<&str>, shape: AlertShape) {
        json.key(key);
        match (name, shape) {
            (None, _) => json.null(),
            (Some(name), AlertShape::Flat) => json.text(name),
            (Some(name), _) => {
                json.begin_list();
                json.text(name);
                json.end_list();
            }
        }
    }

    fn write_field(&self, json: &mut Json, field: Field, number: usize, shape: AlertShape) {
        let (row, profile) = (self.row, &self.profile);
        let network = profile.kind.event_type == "Network Event";
        let numeral = |json: &mut Json, value: i64| match shape {
            // The schema of the events call says text, the others answer numbers.
            AlertShape::Events => json.plain(format_args!("{value}")),
            AlertShape::Flat | AlertShape::Columnar => json.int(value),
        };
        match field {
            Field::Null => json.null(),
            Field::NotApplicable => json.text("N/A"),
            Field::EventType => json.text(profile.kind.event_type),
            Field::Timestamp => json.int(row.created + number as i64 * 40),
            Field::ModuleId => match profile.kind.module {
                Some(module) => json.text(module),
                None => json.null(),
            },
            Field::ImageName => json.text(profile.kind.image),
            Field::ImagePath => json.text(profile.kind.path),
            Field::Command => json.text(profile.kind.command),
            Field::Sha256 => {
                let [high, low] = [
                    profile.external_id.rotate_left(17),
                    profile.external_id.rotate_left(61),
                ];
                json.hex(&[high, low]);
            }
            Field::Md5 => json.hex(&[profile.external_id.rotate_left(29)]),
            Field::Pid => numeral(json, i64::from(profile.pid) + number as i64),
            Field::ParentName => json.text("explorer.exe"),
            Field::User => match &self.host {
                Some(host) => json.text(host.profile.users().first().map_or("", String::as_str)),
                None => json.null(),
            },
            Field::RemoteIp if network => {
                let [c, d] = profile.remote_ip;
                json.plain(format_args!("198.51.{c}.{d}"));
            }
            Field::RemotePort if network => numeral(json, 443),
            Field::LocalIp if network => match &self.host {
                Some(host) => json.text(host.profile.ip().first().map_or("", String::as_str)),
                None => json.null(),
            },
            Field::LocalPort if network => numeral(json, 49_152 + i64::from(profile.pid % 16_000)),
            Field::RemoteIp | Field::RemotePort | Field::LocalIp | Field::LocalPort => json.null(),
            Field::Domain => match profile.kind.domain {
                Some(domain) => json.text(domain),
                None => json.null(),
            },
            Field::Country => json.text("UNKNOWN"),
            Field::InstallType => json.text(if self.host.is_some() {
                "STANDARD"
            } else {
                "NA"
            }),
            Field::Signature => json.text("N/A"),
        }
    }
}
