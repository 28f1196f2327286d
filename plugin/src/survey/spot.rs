//! How a blind spot is counted and told.

use crate::api::{Fault, FaultKind, Page};
use crate::contract::BlindSpot;
use serde_json::Value;

/// The API stops counting here ("if the filter returns more than 9,999 the total_count value returned will be 9,999").
pub const MOST_COUNTED: u64 = 9_999;

/// How many examples a person wants to see.
pub const EXAMPLES: usize = 5;

/// Names come from the tenant and may be of any length.
const LONGEST_EXAMPLE: usize = 100;

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub number: u64,
    /// Whether there may be more.
    pub or_more: bool,
}

impl Count {
    /// As many as match the request of which this is the first page, whole where it bears `asked` records. A total is believed only as far as
    /// the page does not prove it wrong.
    pub fn of(page: &Page, asked: u32) -> Count {
        let held = page.records.len() as u64;
        let full = held >= u64::from(asked);
        match page.total {
            Some(total) if total >= held => Count {
                number: total,
                or_more: total >= MOST_COUNTED,
            },
            _ => Count {
                number: held,
                or_more: full,
            },
        }
    }
}

/// A blind spot that was counted.
pub fn counted(name: impl Into<String>, count: Count, detail: String, remedy: &str) -> BlindSpot {
    BlindSpot {
        name: name.into(),
        count: Some(count.number),
        or_more: count.or_more,
        detail,
        examples: Vec::new(),
        remedy: if count.number == 0 { "" } else { remedy }.to_owned(),
    }
}

/// Why something could not be found out, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    pub detail: String,
    pub remedy: String,
}

impl Unknown {
    /// The blind spot that this leaves.
    pub fn of(self, name: impl Into<String>) -> BlindSpot {
        BlindSpot {
            name: name.into(),
            count: None,
            or_more: false,
            detail: self.detail,
            examples: Vec::new(),
            remedy: self.remedy,
        }
    }
}

impl From<&Fault> for Unknown {
    fn from(fault: &Fault) -> Unknown {
        let remedy = match fault.kind {
            FaultKind::Forbidden => format!(
                "Give the API key a role that allows \"{}\" (Settings > Configurations > API Keys; roles under Access Management).",
                fault.call.permission()
            ),
            _ => fault.remedy.clone(),
        };
        Unknown {
            detail: fault.message.clone(),
            remedy,
        }
    }
}

/// The first text of these fields that is none but blanks, as an example.
pub fn example(record: &Value, fields: &[&str]) -> Option<String> {
    fields
        .iter()
        .filter_map(|field| record.get(*field)?.as_str())
        .find(|text| !text.trim().is_empty())
        .map(|text| text.chars().take(LONGEST_EXAMPLE).collect())
}

/// A number with a comma between groups of three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
