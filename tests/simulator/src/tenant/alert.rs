//! Alerts: what is kept of each and what is derived from the seed when it is shown.

use super::mix::{Mix, Purpose};
use super::words::Word;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Sources with their weights and whether their alerts are on an endpoint. The empty one is a null `source`.
pub const SOURCES: [(&str, u64, bool); 18] = [
    ("", 2, true),
    ("XDR BIOC", 220, true),
    ("XDR IOC", 120, true),
    ("XDR Agent", 250, true),
    ("XDR Analytics", 90, true),
    ("XDR Analytics BIOC", 80, true),
    ("XDR Managed Threat Hunting", 10, true),
    ("Threat Intelligence", 10, true),
    ("Correlation", 50, true),
    ("Custom Alert", 20, true),
    ("PAN NGFW", 80, false),
    ("Prisma Cloud", 12, false),
    ("Prisma Cloud Compute", 8, false),
    ("ASM", 8, false),
    ("IoT Security", 8, false),
    ("Health", 6, false),
    ("Vulnerability Policy", 6, false),
    ("Fortinet - FortiGate", 20, false),
];

/// Resolution statuses with their weights.
pub const STATUSES: [(&str, u64); 14] = [
    ("STATUS_010_NEW", 45),
    ("STATUS_020_UNDER_INVESTIGATION", 15),
    ("STATUS_025_RESOLVED", 2),
    ("STATUS_030_RESOLVED_THREAT_HANDLED", 8),
    ("STATUS_040_RESOLVED_KNOWN_ISSUE", 5),
    ("STATUS_050_RESOLVED_DUPLICATE", 4),
    ("STATUS_060_RESOLVED_FALSE_POSITIVE", 8),
    ("STATUS_070_RESOLVED_OTHER", 3),
    ("STATUS_080_RESOLVED_AUTO", 3),
    ("STATUS_090_RESOLVED_TRUE_POSITIVE", 3),
    ("STATUS_100_RESOLVED_SECURITY_TESTING", 1),
    ("STATUS_130_RESOLVED_RISK_ACCEPTED", 1),
    ("STATUS_240_RESOLVED_DISMISSED", 1),
    ("STATUS_250_RESOLVED_FIXED", 1),
];

/// Severities in ascending order, with their weights.
pub const SEVERITIES: [(&str, u64); 5] = [
    ("informational", 8),
    ("low", 27),
    ("medium", 35),
    ("high", 22),
    ("critical", 8),
];

/// What an alert is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// No endpoint: a firewall, a cloud service, a third party.
    Nothing,
    /// The endpoint in this row of the tenant (which may have been removed since).
    Row(u32),
    /// An endpoint that the tenant does not list (it was deleted long ago).
    Ghost,
}

/// What is kept of one alert.
#[derive(Clone, Debug)]
pub struct AlertRow {
    pub serial: u32,
    pub id: u64,
    pub alive: bool,
    pub on: On,
    pub source: Word,
    pub status: Word,
    pub severity: Word,
    /// `detection_timestamp`.
    pub created: i64,
    /// `local_insert_ts`.
    pub inserted: i64,
    /// `last_modified_ts`; 0 is null.
    pub modified: i64,
}

/// What an alert is about.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    pub name: &'static str,
    pub category: Option<&'static str>,
    pub description: &'static str,
    pub technique: Option<&'static str>,
    pub tactic: Option<&'static str>,
    pub event_type: &'static str,
    pub image: &'static str,
    pub path: &'static str,
    pub command: &'static str,
    pub module: Option<&'static str>,
    pub domain: Option<&'static str>,
}

const KINDS: [Kind; 9] = [
    Kind {
        name: "Kernel Privilege Escalation",
        category: Some("Exploit"),
        description: "Local privilege escalation prevented",
        technique: Some("T1068 - Exploitation for Privilege Escalation"),
        tactic: Some("TA0004 - Privilege Escalation"),
        event_type: "Process Execution",
        image: "setup_helper.exe",
        path: "C:\\ProgramData\\setup_helper.exe",
        command: "\"C:\\ProgramData\\setup_helper.exe\" /quiet",
        module: Some("Privilege Escalation Protection"),
        domain: None,
    },
    Kind {
        name: "Suspicious PowerShell Command Line",
        category: Some("Execution"),
        description: "powershell.exe ran an encoded command",
        technique: Some("T1059.001 - Command and Scripting Interpreter: PowerShell"),
        tactic: Some("TA0002 - Execution"),
        event_type: "Process Execution",
        image: "powershell.exe",
        path: "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
        command: "powershell.exe -NoProfile -EncodedCommand VABlAHMAdAA=",
        module: Some("Behavioral Threat Protection"),
        domain: None,
    },
    Kind {
        name: "Credential dumping from LSASS memory",
        category: Some("Credential Access"),
        description: "A process read the memory of lsass.exe",
        technique: Some("T1003.001 - OS Credential Dumping: LSASS Memory"),
        tactic: Some("TA0006 - Credential Access"),
        event_type: "Process Execution",
        image: "procdump64.exe",
        path: "C:\\Tools\\procdump64.exe",
        command: "procdump64.exe -ma lsass.exe out.dmp",
        module: Some("Behavioral Threat Protection"),
        domain: None,
    },
    Kind {
        name: "Outbound connection to a known command and control domain",
        category: Some("Malware"),
        description: "The domain is on an indicator list",
        technique: Some("T1071 - Application Layer Protocol"),
        tactic: Some("TA0011 - Command and Control"),
        event_type: "Network Event",
        image: "chrome.exe",
        path: "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
        command: "chrome.exe --type=utility",
        module: None,
        domain: Some("beacon.example.net"),
    },
    Kind {
        name: "WildFire Malware",
        category: Some("Malware"),
        description: "Suspicious executable detected",
        technique: Some(""),
        tactic: Some(""),
        event_type: "File Event",
        image: "explorer.exe",
        path: "C:\\Windows\\explorer.exe",
        command: "C:\\Windows\\explorer.exe",
        module: Some("WildFire"),
        domain: None,
    },
    Kind {
        name: "Reverse shell from a web server",
        category: Some("Execution"),
        description: "A shell was started by nginx with its output sent to a socket",
        technique: Some("T1059.004 - Command and Scripting Interpreter: Unix Shell"),
        tactic: Some("TA0002 - Execution"),
        event_type: "Process Execution",
        image: "bash",
        path: "/usr/bin/bash",
        command: "bash -i",
        module: Some("Behavioral Threat Protection"),
        domain: None,
    },
    Kind {
        name: "Rare scheduled task created",
        category: Some("Persistence"),
        description: "A scheduled task that no other host has was created",
        technique: Some("T1053.005 - Scheduled Task/Job: Scheduled Task"),
        tactic: Some("TA0003 - Persistence"),
        event_type: "Process Execution",
        image: "schtasks.exe",
        path: "C:\\Windows\\System32\\schtasks.exe",
        command: "schtasks.exe /create /tn Updater /sc minute",
        module: None,
        domain: None,
    },
    Kind {
        name: "Large upload to an unusual destination",
        category: None,
        description: "More than 2 GB were sent to an address never contacted before, \"just now\"",
        technique: Some("T1048 - Exfiltration Over Alternative Protocol"),
        tactic: Some("TA0010 - Exfiltration"),
        event_type: "Network Event",
        image: "rclone",
        path: "/usr/local/bin/rclone",
        command: "rclone copy /data remote:backup",
        module: None,
        domain: Some("storage.example.org"),
    },
    Kind {
        name: "Spyware detected via Anti-Spyware profile",
        category: Some("Spyware"),
        description: "Spyware phone home detection",
        technique: None,
        tactic: None,
        event_type: "Network Event",
        image: "svchost.exe",
        path: "C:\\Windows\\System32\\svchost.exe",
        command: "svchost.exe -k netsvcs",
        module: None,
        domain: Some("updates.example.info"),
    },
];

impl AlertRow {
    /// The alert that the tenant starts with at this serial, among `endpoints` endpoints.
    pub fn generate(seed: u64, serial: u32, now: i64, endpoints: u32) -> Self {
        let mut mix = Mix::new(seed, Purpose::AlertTimes, u64::from(serial));
        let source = mix.weighted(&SOURCES.map(|(_, weight, _)| weight));
        let hosted = SOURCES.get(source).is_some_and(|(_, _, hosted)| *hosted);
        let created = now - HOUR - mix.below((90 * DAY) as u64) as i64;
        // Most arrive within a minute; two in a hundred are late by hours or days.
        let delay = if mix.percent(2) {
            HOUR + mix.below((6 * DAY) as u64) as i64
        } else {
            1_000 + mix.below(59_000) as i64
        };
        let on = match (hosted && endpoints > 0, mix.below(50)) {
            (false, _) => On::Nothing,
            (true, 0) => On::Ghost,
            (true, _) => On::Row(mix.below(u64::from(endpoints)) as u32),
        };
        let status = mix.weighted(&STATUSES.map(|(_, weight)| weight));
        let severity = mix.weighted(&SEVERITIES.map(|(_, weight)| weight));
        let inserted = (created + delay).min(now);
        AlertRow {
            serial,
            id: alert_id(serial),
            alive: true,
            on,
            source: source as Word,
            status: status as Word,
            severity: severity as Word,
            created,
            inserted,
            modified: if status > 0 {
                (inserted + mix.below((2 * DAY) as u64) as i64).min(now)
            } else {
                0
            },
        }
    }
}

/// The id at a serial: one in fifty is beyond 2^53, where a double loses digits.
pub fn alert_id(serial: u32) -> u64 {
    if serial % 50 == 7 {
        9_007_199_254_740_993 + 2 * u64::from(serial)
    } else {
        100_000 + u64::from(serial)
    }
}

/// The id of the deleted endpoint that the alert at a serial is on.
pub fn ghost_id(seed: u64, serial: u32) -> u128 {
    Mix::new(seed, Purpose::Ghost, u64::from(serial)).wide()
}

/// What about an alert follows from the seed and its serial.
#[derive(Clone, Debug)]
pub struct AlertProfile {
    pub kind: Kind,
    pub action: (&'static str, &'static str),
    pub events: usize,
    pub external_id: u128,
    pub starred: bool,
    pub featured: bool,
    /// `host_ip` null though the alert is on an endpoint.
    pub no_address: bool,
    /// The old `[""]` in place of MITRE names.
    pub empty_mitre: bool,
    pub remote_ip: [u8; 2],
    pub pid: u32,
    pub bits: u64,
}

impl AlertProfile {
    pub fn derive(seed: u64, serial: u32) -> Self {
        const ACTIONS: [(&str, &str); 4] = [
            ("BLOCKED", "Prevented (Blocked)"),
            ("DETECTED", "Detected"),
            ("REPORTED", "Detected (Reported)"),
            ("SCANNED", "Detected (Scanned)"),
        ];
        let mut mix = Mix::new(seed, Purpose::Alert, u64::from(serial));
        let [fallback, ..] = KINDS;
        AlertProfile {
            kind: KINDS
                .get(mix.below(KINDS.len() as u64) as usize)
                .copied()
                .unwrap_or(fallback),
            action: mix.pick(&ACTIONS),
            events: 1 + mix.weighted(&[70, 20, 10]),
            external_id: mix.wide(),
            starred: mix.percent(5),
            featured: mix.percent(10),
            no_address: mix.percent(3),
            empty_mitre: mix.percent(6),
            remote_ip: [mix.below(256) as u8, mix.below(254) as u8 + 1],
            pid: 400 + mix.below(60_000) as u32,
            bits: mix.next(),
        }
    }

    /// MITRE names as the multi-events calls give them: null, `[""]` or one name.
    pub fn mitre<'a>(&self, name: Option<&'a str>) -> Option<&'a str> {
        if self.empty_mitre { Some("") } else { name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_750_000_000_000;

    #[test]
    fn alerts_of_every_source_status_and_severity_are_there() {
        let rows: Vec<AlertRow> = (0..20_000)
            .map(|serial| AlertRow::generate(3, serial, NOW, 100))
            .collect();
        for source in 0..SOURCES.len() {
            assert!(
                rows.iter().any(|row| usize::from(row.source) == source),
                "{source}"
            );
        }
        for status in 0..STATUSES.len() {
            assert!(
                rows.iter().any(|row| usize::from(row.status) == status),
                "{status}"
            );
        }
        for severity in 0..SEVERITIES.len() {
            assert!(
                rows.iter().any(|row| usize::from(row.severity) == severity),
                "{severity}"
            );
        }
        assert!(rows.iter().any(|row| row.on == On::Nothing));
        assert!(rows.iter().any(|row| row.on == On::Ghost));
        assert!(rows.iter().any(|row| row.id > 1 << 53));
        assert!(rows.iter().any(|row| row.inserted - row.created > HOUR));
        assert!(
            rows.iter()
                .all(|row| row.created < row.inserted && row.inserted <= NOW)
        );
    }

    #[test]
    fn ids_are_distinct() {
        let ids: std::collections::HashSet<u64> = (0..100_000).map(alert_id).collect();
        assert_eq!(ids.len(), 100_000);
    }

    #[test]
    fn a_tenant_without_endpoints_has_alerts_on_nothing() {
        assert!((0..500).all(|serial| AlertRow::generate(3, serial, NOW, 0).on == On::Nothing));
    }
}
