//! Endpoints: what is kept of each (a few bytes) and what is derived from the seed when it is shown.

use super::mix::{Mix, Purpose};
use super::words::Word;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// The statuses that the tenant starts with, in the order of [`STATUS_WEIGHTS`].
pub const STATUSES: [&str; 4] = ["CONNECTED", "DISCONNECTED", "LOST", "UNINSTALLED"];
const STATUS_WEIGHTS: [u64; 4] = [70, 20, 7, 3];
/// Number of the word `CONNECTED`.
pub const CONNECTED: Word = 0;
/// Number of the word `UNINSTALLED`.
pub const UNINSTALLED: Word = 3;

/// What is kept of one endpoint. The rest is in [`Profile`].
#[derive(Clone, Debug)]
pub struct EndpointRow {
    pub serial: u32,
    pub status: Word,
    pub alive: bool,
    pub first_seen: i64,
    pub last_seen: i64,
    pub changes: Option<Box<Changes>>,
}

/// What tests and changing calls set on one endpoint.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub name: Option<String>,
    pub server_tags: Option<Vec<String>>,
    pub endpoint_tags: Option<Vec<String>>,
    pub is_isolated: Option<String>,
    /// The serial of the endpoint whose machine it is, where its agent was installed again.
    pub machine: Option<u32>,
}

/// Kind of operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Os {
    Windows,
    Linux,
    Mac,
}

impl Os {
    pub fn as_str(self) -> &'static str {
        match self {
            Os::Windows => "AGENT_OS_WINDOWS",
            Os::Linux => "AGENT_OS_LINUX",
            Os::Mac => "AGENT_OS_MAC",
        }
    }

    /// The word for it in the filter `platform`.
    pub fn platform(self) -> &'static str {
        match self {
            Os::Windows => "windows",
            Os::Linux => "linux",
            Os::Mac => "macos",
        }
    }
}

/// How complete a record is: old agents and old servers left keys out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// All keys.
    Current,
    /// No `tags`, `group_name` and `active_directory` null.
    NoTags,
    /// The 18 keys of a record of 2019.
    Minimal,
    /// `endpointTags`, a string, in place of `tags`.
    LegacyTags,
}

/// Everything about an endpoint that follows from the seed and its serial.
#[derive(Clone, Debug)]
pub struct Profile {
    pub id: u128,
    pub os: Os,
    pub server: bool,
    pub age: Age,
    pub os_version: &'static str,
    pub operating_system: &'static str,
    pub site: &'static str,
    pub team: &'static str,
    /// Number in the host name; nearly always the serial, but a re-installed host has the number of an earlier one.
    pub number: u32,
    pub domain: &'static str,
    pub agent_version: &'static str,
    pub server_tags: Vec<&'static str>,
    pub endpoint_tags: Vec<&'static str>,
    pub cloud: Option<Cloud>,
    /// Whether the keys `cloud_*` are there, be it as null.
    pub has_cloud_keys: bool,
    pub isolated: &'static str,
    pub operational: &'static str,
    pub scan_status: &'static str,
    pub docker: bool,
    pub second_address: bool,
    pub ipv6: bool,
    /// Bits for addresses, users and other small things.
    pub bits: u64,
}

/// Where a cloud instance runs.
#[derive(Clone, Copy, Debug)]
pub struct Cloud {
    pub provider: &'static str,
    pub region: &'static str,
    pub instance: u64,
}

const WINDOWS_CLIENTS: [(&str, &str); 4] = [
    ("10.0.19045", "Windows 10 [10.0 (Build 19045)]"),
    ("10.0.22631", "Windows 11 [10.0 (Build 22631)]"),
    ("10.0.26100", "Windows 11 [10.0 (Build 26100)]"),
    ("10.0.17763", "Windows 10 LTSC [10.0 (Build 17763)]"),
];
const WINDOWS_SERVERS: [(&str, &str); 4] = [
    ("10.0.14393", "Windows Server 2016 [10.0 (Build 14393)]"),
    ("10.0.17763", "Windows Server 2019 [10.0 (Build 17763)]"),
    ("10.0.20348", "Windows Server 2022 [10.0 (Build 20348)]"),
    ("6.3.9600", "Windows Server 2012 R2 [6.3 (Build 9600)]"),
];
const LINUXES: [(&str, &str); 5] = [
    ("22.04.3", "Ubuntu 22.04"),
    ("24.04.1", "Ubuntu 24.04"),
    ("10.11", "Debian 10.11"),
    ("9.4", "Red Hat Enterprise Linux 9.4"),
    ("2023", "Amazon Linux 2023"),
];
const MACS: [(&str, &str); 3] = [
    ("13.6.7", "macOS Ventura 13.6.7"),
    ("14.5", "macOS Sonoma 14.5"),
    ("15.1", "macOS Sequoia 15.1"),
];
const SITES: [&str; 8] = ["fra", "nyc", "sin", "blr", "lon", "sao", "syd", "ber"];
pub const TEAMS: [&str; 7] = [
    "Finance",
    "Engineering",
    "Sales",
    "Operations",
    "HR",
    "Research",
    "Support",
];
const DOMAINS: [&str; 4] = ["corp.example.com", "emea.example.com", "WORKGROUP", ""];
const AGENTS: [&str; 5] = [
    "8.3.0.121478",
    "8.5.1.3422",
    "8.7.0.18410",
    "7.9.103.61234",
    "7.0.0.1915",
];
/// The server tags of the simulated estate.
pub const SERVER_TAGS: [&str; 6] = [
    "production",
    "staging",
    "pci",
    "crown-jewel",
    "dmz",
    "internet-facing",
];
/// The endpoint tags of the simulated estate.
pub const ENDPOINT_TAGS: [&str; 6] = [
    "finance",
    "engineering",
    "executive",
    "kiosk",
    "laptop",
    "build-farm",
];
const CLOUDS: [(&str, &str); 6] = [
    ("AWS", "eu-central-1"),
    ("AWS", "us-east-1"),
    ("AZURE", "westeurope"),
    ("AZURE", "eastus2"),
    ("GCP", "europe-west3"),
    ("GCP", "us-central1"),
];
const SCANS: [&str; 8] = [
    "SCAN_STATUS_NONE",
    "SCAN_STATUS_SUCCESS",
    "SCAN_STATUS_PENDING",
    "SCAN_STATUS_IN_PROGRESS",
    "SCAN_STATUS_CANCELED",
    "SCAN_STATUS_ABORTED",
    "SCAN_STATUS_PENDING_CANCELLATION",
    "SCAN_STATUS_ERROR",
];

impl EndpointRow {
    /// The endpoint that the estate starts with at this serial.
    pub fn generate(seed: u64, serial: u32, now: i64) -> Self {
        // One in 64 shares the moment of its predecessor (a roll-out installs many agents at once).
        let mut own = Mix::new(seed, Purpose::EndpointTimes, u64::from(serial));
        let tie = own.below(64) == 0;
        let first_seen = if tie {
            first_seen(seed, serial.saturating_sub(1), now)
        } else {
            first_seen(seed, serial, now)
        };
        let at = own.weighted(&STATUS_WEIGHTS);
        let silent = match at {
            0 => own.below(5 * 60_000) as i64,
            1 => 10 * MINUTE + own.below((20 * DAY) as u64) as i64,
            _ => 30 * DAY + own.below((200 * DAY) as u64) as i64,
        };
        let last_seen = (now - silent).max(first_seen);
        EndpointRow {
            serial,
            status: at as Word,
            alive: true,
            first_seen,
            last_seen,
            changes: None,
        }
    }
}

/// The tags of an endpoint, wherever they come from.
#[derive(Clone, Debug, Default)]
pub struct Tags<'a> {
    pub server: Vec<&'a str>,
    pub endpoint: Vec<&'a str>,
    /// How the record shows them.
    pub shown: TagsShown,
}

/// How a record shows its tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TagsShown {
    /// As `tags`, an object of two lists.
    #[default]
    Object,
    /// As the legacy string `endpointTags`.
    Legacy,
    /// Not at all.
    Absent,
}

impl EndpointRow {
    /// The tags. Once a test or a call sets them, even an old record shows them as an object.
    pub fn tags<'a>(&'a self, profile: &'a Profile) -> Tags<'a> {
        let set = self.changes.as_deref();
        let server = set.and_then(|changes| changes.server_tags.as_deref());
        let endpoint = set.and_then(|changes| changes.endpoint_tags.as_deref());
        let shown = match profile.age {
            _ if server.is_some() || endpoint.is_some() => TagsShown::Object,
            Age::Current => TagsShown::Object,
            Age::LegacyTags => TagsShown::Legacy,
            Age::NoTags | Age::Minimal => TagsShown::Absent,
        };
        let or = |set: Option<&'a [String]>, own: &'a [&'static str]| match set {
            Some(set) => set.iter().map(String::as_str).collect(),
            None => own.to_vec(),
        };
        Tags {
            server: or(server, &profile.server_tags),
            endpoint: or(endpoint, &profile.endpoint_tags),
            shown,
        }
    }
}

fn first_seen(seed: u64, serial: u32, now: i64) -> i64 {
    let mut mix = Mix::new(seed, Purpose::EndpointTimes, u64::from(serial) | (1 << 40));
    now - DAY - mix.below((3 * 365 * DAY) as u64) as i64
}

/// The id of the endpoint at a serial.
pub fn endpoint_id(seed: u64, serial: u32) -> u128 {
    Mix::new(seed, Purpose::EndpointId, u64::from(serial)).wide()
}

impl Profile {
    pub fn derive(seed: u64, serial: u32) -> Self {
        let mut mix = Mix::new(seed, Purpose::Endpoint, u64::from(serial));
        let server = mix.percent(30);
        let os = match (server, mix.below(100)) {
            (true, 0..55) => Os::Linux,
            (true, _) => Os::Windows,
            (false, 0..74) => Os::Windows,
            (false, 74..94) => Os::Mac,
            (false, _) => Os::Linux,
        };
        let (os_version, operating_system) = match (os, server) {
            (Os::Windows, true) => mix.pick(&WINDOWS_SERVERS),
            (Os::Windows, false) => mix.pick(&WINDOWS_CLIENTS),
            (Os::Linux, _) => mix.pick(&LINUXES),
            (Os::Mac, _) => mix.pick(&MACS),
        };
        let age = match mix.below(100) {
            0..4 => Age::NoTags,
            4..6 => Age::Minimal,
            6..8 => Age::LegacyTags,
            _ => Age::Current,
        };
        let mut server_tags = Vec::new();
        let mut endpoint_tags = Vec::new();
        match age {
            Age::Current => {
                if mix.percent(if server { 70 } else { 15 }) {
                    server_tags.push(mix.pick(&SERVER_TAGS));
                    let second = mix.pick(&SERVER_TAGS);
                    if mix.percent(30) && !server_tags.contains(&second) {
                        server_tags.push(second);
                    }
                }
                if mix.percent(40) {
                    endpoint_tags.push(mix.pick(&ENDPOINT_TAGS));
                }
            }
            Age::LegacyTags => endpoint_tags.push(mix.pick(&ENDPOINT_TAGS)),
            Age::NoTags | Age::Minimal => {}
        }
        let cloud = (server && mix.percent(45)).then(|| {
            let (provider, region) = mix.pick(&CLOUDS);
            Cloud {
                provider,
                region,
                instance: mix.next(),
            }
        });
        Profile {
            id: endpoint_id(seed, serial),
            os,
            server,
            age,
            os_version,
            operating_system,
            site: mix.pick(&SITES),
            team: mix.pick(&TEAMS),
            number: if serial > 0 && mix.below(200) == 0 {
                serial - 1
            } else {
                serial
            },
            domain: if os == Os::Windows {
                mix.pick(&DOMAINS)
            } else {
                mix.pick(&["", "", "corp.example.com"])
            },
            agent_version: if age == Age::Minimal {
                "7.0.0.1915"
            } else {
                mix.pick(&AGENTS)
            },
            server_tags,
            endpoint_tags,
            has_cloud_keys: cloud.is_some() || mix.percent(50),
            cloud,
            isolated: match mix.below(200) {
                0 => "AGENT_ISOLATED",
                1 => "AGENT_PENDING_ISOLATION",
                _ => "AGENT_UNISOLATED",
            },
            operational: match mix.below(20) {
                0 => "PARTIALLY_PROTECTED",
                1 => "UNPROTECTED",
                _ => "PROTECTED",
            },
            scan_status: SCANS
                .get(mix.weighted(&[40, 50, 2, 2, 2, 1, 1, 2]))
                .copied()
                .unwrap_or_default(),
            docker: server && os == Os::Linux && mix.percent(50),
            second_address: mix.percent(25),
            ipv6: mix.percent(30),
            bits: mix.next(),
        }
    }

    /// The host name.
    pub fn name(&self) -> String {
        let role = match (self.server, self.os) {
            (true, Os::Linux) => "lnx",
            (true, _) => "srv",
            (false, Os::Mac) => "mac",
            (false, _) => "wks",
        };
        format!("{}-{role}-{:06}", self.site, self.number)
    }

    /// IPv4 addresses: one or two of its own, then the docker bridge where there is one.
    pub fn ip(&self) -> Vec<String> {
        let [a, b, c, d, ..] = self.bits.to_le_bytes();
        let mut ip = vec![format!("10.{}.{b}.{}", a % 64, c.clamp(1, 254))];
        if self.second_address {
            ip.push(format!("192.168.{}.{}", d % 32, c.clamp(1, 254)));
        }
        if self.docker {
            ip.push("172.17.0.1".to_owned());
        }
        ip
    }

    pub fn ipv6(&self) -> Vec<String> {
        let [a, b, c, d, ..] = self.bits.to_le_bytes();
        if self.ipv6 {
            vec![format!("fe80::{a:x}:{b:x}{c:02x}:{d:x}")]
        } else {
            Vec::new()
        }
    }

    /// The gateway's address, shared by a site.
    pub fn public_ip(&self) -> String {
        let site = SITES
            .iter()
            .position(|site| *site == self.site)
            .unwrap_or(0);
        format!("203.0.113.{}", 10 + site)
    }

    pub fn mac_address(&self) -> Vec<String> {
        let [a, b, c, d, e, f, ..] = self.bits.rotate_left(8).to_le_bytes();
        let mut macs = vec![format!("02:{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}")];
        if self.second_address {
            macs.push(format!("02:{f:02x}:{e:02x}:{d:02x}:{c:02x}:{b:02x}"));
        }
        macs
    }

    pub fn users(&self) -> Vec<String> {
        const NAMES: [&str; 8] = [
            "anna", "bruno", "chen", "divya", "emre", "fatima", "goran", "hana",
        ];
        let name = NAMES
            .get((self.bits >> 40) as usize % NAMES.len())
            .copied()
            .unwrap_or_default();
        match (self.server, self.os) {
            (true, Os::Linux) => vec!["root".to_owned(), format!("svc-{name}")],
            (true, _) => vec![format!("CORP\\adm-{name}")],
            (false, Os::Windows) => vec![format!("CORP\\{name}.{}", self.number)],
            (false, _) => vec![format!("{name}.{}", self.number)],
        }
    }

    pub fn endpoint_type(&self) -> &'static str {
        if self.server {
            "AGENT_TYPE_SERVER"
        } else {
            "AGENT_TYPE_WORKSTATION"
        }
    }

    /// The groups: null in old records, else none, one or two.
    pub fn groups(&self) -> Option<Vec<&'static str>> {
        match (self.age, (self.bits >> 32) % 4) {
            (Age::NoTags | Age::Minimal, _) => None,
            (_, 0) => Some(Vec::new()),
            (_, 1) => Some(vec![
                self.team,
                if self.server {
                    "Servers"
                } else {
                    "Workstations"
                },
            ]),
            _ => Some(vec![self.team]),
        }
    }

    pub fn installation_package(&self) -> &'static str {
        match self.os {
            Os::Windows => "windows-default",
            Os::Linux => "linux-default",
            Os::Mac => "macos-default",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_750_000_000_000;

    #[test]
    fn an_estate_has_every_kind_of_record() {
        let profiles: Vec<Profile> = (0..2_000)
            .map(|serial| Profile::derive(7, serial))
            .collect();
        let any = |what: &dyn Fn(&Profile) -> bool| assert!(profiles.iter().any(what));
        for os in [Os::Windows, Os::Linux, Os::Mac] {
            any(&|p| p.os == os && !p.server);
        }
        any(&|p| p.os == Os::Linux && p.server && p.docker);
        for age in [Age::Current, Age::NoTags, Age::Minimal, Age::LegacyTags] {
            any(&|p| p.age == age);
        }
        any(&|p| p.cloud.is_some());
        any(&|p| p.ip().len() == 3);
        any(&|p| p.groups().is_none());
        any(&|p| p.groups().is_some_and(|groups| groups.is_empty()));
        any(&|p| p.server_tags.len() == 2);
        any(&|p| p.isolated == "AGENT_ISOLATED");
    }

    #[test]
    fn first_seen_is_mostly_unique_with_some_ties_and_never_after_last_seen() {
        let rows: Vec<EndpointRow> = (0..5_000)
            .map(|serial| EndpointRow::generate(7, serial, NOW))
            .collect();
        let mut times: Vec<i64> = rows.iter().map(|row| row.first_seen).collect();
        times.sort_unstable();
        let ties = times.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert!((20..300).contains(&ties), "{ties} ties");
        assert!(
            rows.iter()
                .all(|row| row.first_seen <= row.last_seen && row.last_seen <= NOW)
        );
    }

    #[test]
    fn ids_are_distinct() {
        let ids: std::collections::HashSet<u128> =
            (0..20_000).map(|serial| endpoint_id(1, serial)).collect();
        assert_eq!(ids.len(), 20_000);
    }
}
