//! The report: each thing that is tried, once, in a fixed order.

use crate::api::{Fault, FaultKind};
use crate::contract::{Check, Verdict};
use std::collections::BTreeMap;

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    Host,
    Tls,
    Clock,
    Key,
    KindOfKey,
    Endpoints,
    Alerts,
    Licence,
    HostInsights,
    QuotaPermission,
    StartQuery,
    QueryResults,
    Quota,
}

impl Item {
    /// In the report's order.
    pub const ALL: [Item; 13] = [
        Item::Host,
        Item::Tls,
        Item::Clock,
        Item::Key,
        Item::KindOfKey,
        Item::Endpoints,
        Item::Alerts,
        Item::Licence,
        Item::HostInsights,
        Item::QuotaPermission,
        Item::StartQuery,
        Item::QueryResults,
        Item::Quota,
    ];

    /// The check's name.
    pub fn name(self) -> &'static str {
        match self {
            Item::Host => "host reached",
            Item::Tls => "TLS",
            Item::Clock => "clock",
            Item::Key => "API key and ID",
            Item::KindOfKey => "kind of key",
            Item::Endpoints => "permission for get_endpoint",
            Item::Alerts => "permission for get_alerts_multi_events",
            Item::Licence => "licence",
            Item::HostInsights => "Host Insights",
            Item::QuotaPermission => "permission for get_quota",
            Item::StartQuery => "permission for start_xql_query",
            Item::QueryResults => "permission for get_query_results",
            Item::Quota => "XQL quota",
        }
    }
}

/// What was seen so far.
#[derive(Debug, Default)]
pub struct Report {
    checks: BTreeMap<Item, Check>,
}

impl Report {
    pub fn passed(&mut self, item: Item, detail: impl Into<String>) {
        self.add(item, Verdict::Passed, detail, "");
    }

    pub fn warned(&mut self, item: Item, detail: impl Into<String>, remedy: impl Into<String>) {
        self.add(item, Verdict::Warned, detail, remedy);
    }

    pub fn failed(&mut self, item: Item, detail: impl Into<String>, remedy: impl Into<String>) {
        self.add(item, Verdict::Failed, detail, remedy);
    }

    pub fn skipped(&mut self, item: Item, detail: impl Into<String>) {
        self.add(item, Verdict::Skipped, detail, "");
    }

    /// What a call that led nowhere means for the permission to make it. What passes by itself is a warning: it must not keep
    /// a connection from being saved.
    pub fn fault(&mut self, item: Item, fault: &Fault) {
        let detail = fault.message.clone();
        match fault.kind {
            FaultKind::Forbidden => {
                let remedy = format!(
                    "Give the API key a role that allows \"{}\" (Settings > Configurations > API Keys; roles under Access Management), or leave \
                     the data stream out of dataStreams.",
                    fault.call.permission()
                );
                self.failed(item, detail, remedy);
            }
            FaultKind::TooManyRequests(_)
            | FaultKind::TooManyQueries
            | FaultKind::QuotaExhausted(_) => {
                self.warned(item, detail, fault.remedy.clone());
            }
            _ if fault.remedy.is_empty() => {
                self.failed(item, detail, "Try again; if it stays, report it.");
            }
            _ => self.failed(item, detail, fault.remedy.clone()),
        }
    }

    /// The report, with what was not tried as skipped for this reason.
    pub fn finish(mut self, reason: &str) -> Vec<Check> {
        for item in Item::ALL {
            if !self.checks.contains_key(&item) {
                self.skipped(item, reason);
            }
        }
        self.checks.into_values().collect()
    }

    fn add(
        &mut self,
        item: Item,
        verdict: Verdict,
        detail: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let check = Check {
            name: item.name().to_owned(),
            verdict,
            detail: detail.into(),
            remedy: remedy.into(),
        };
        self.checks.insert(item, check);
    }
}
