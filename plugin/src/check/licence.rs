//! The tenant's licences by name, and what they permit.
//!
//! Only a word of warning comes from here: the counters are undocumented, and whether a call is licensed is told by the call.

use super::report::{Item, Report};
use crate::api::{Fault, TenantInfo, time};
use crate::configure::{DataStream, Settings};
use crate::decimal::decimal;
use serde_json::{Map, Value};

/// A licence or add-on as `get_tenant_info` counts it: `purchased_<key>` and `<key>_expiration`.
struct Product {
    key: &'static str,
    title: &'static str,
    permits: &'static [DataStream],
}

const ALL_BUT_HOST_INSIGHTS: &[DataStream] = &[DataStream::Endpoints, DataStream::Alerts];

/// What the connector's calls ask for, by the vendor's reference. Pro per GB was sold per TB before, hence its key.
const PRODUCTS: [Product; 7] = [
    Product {
        key: "prevent",
        title: "Cortex XDR Prevent",
        permits: ALL_BUT_HOST_INSIGHTS,
    },
    Product {
        key: "pro_per_endpoint",
        title: "Cortex XDR Pro per Endpoint",
        permits: &DataStream::ALL,
    },
    Product {
        key: "pro_tb",
        title: "Cortex XDR Pro per GB",
        permits: &[DataStream::Alerts],
    },
    Product {
        key: "pro_per_gb",
        title: "Cortex XDR Pro per GB",
        permits: &[DataStream::Alerts],
    },
    Product {
        key: "host_insights",
        title: "Host Insights",
        permits: &[],
    },
    Product {
        key: "compute_unit",
        title: "compute units",
        permits: &[],
    },
    Product {
        key: "forensics",
        title: "Forensics",
        permits: &[],
    },
];

/// Reports on the licences.
pub fn check(
    report: &mut Report,
    settings: &Settings,
    answer: &Result<TenantInfo, Fault>,
    now: u64,
) {
    let info = match answer {
        Ok(info) => info,
        Err(fault) => {
            return report.warned(
                Item::Licence,
                format!(
                    "The licence could not be read; the calls themselves show what is licensed. {}",
                    fault.message
                ),
                "",
            );
        }
    };
    let held: Vec<Held> = PRODUCTS
        .iter()
        .filter_map(|product| Held::read(product, &info.0, now))
        .collect();
    let listed = held.iter().map(Held::text).collect::<Vec<_>>().join("; ");
    let licences: Vec<&Held> = held
        .iter()
        .filter(|held| !held.product.permits.is_empty())
        .collect();
    if licences.is_empty() {
        return report.warned(
            Item::Licence,
            if listed.is_empty() {
                "The tenant names no licence that this connector knows; the calls themselves show what is licensed.".to_owned()
            } else {
                format!("The tenant names no licence that this connector knows, but: {listed}.")
            },
            "Check that the tenant has Cortex XDR Prevent, Pro per Endpoint or Pro per GB.",
        );
    }
    let permitted = |stream: &DataStream| {
        licences
            .iter()
            .any(|held| !held.expired && held.product.permits.contains(stream))
    };
    let (covered, missing): (Vec<DataStream>, Vec<DataStream>) =
        DataStream::ALL.iter().partition(|stream| permitted(stream));
    let missing: Vec<DataStream> = missing
        .into_iter()
        .filter(|stream| settings.data_streams.contains(stream))
        .collect();
    if missing.is_empty() {
        report.passed(
            Item::Licence,
            format!("{listed}. Permits {}.", names(&covered)),
        );
    } else {
        report.warned(
            Item::Licence,
            format!("{listed}. By these, {} is not licensed now.", names(&missing)),
            "Renew or extend the licence, or leave these out of dataStreams; if the calls below pass all the same, nothing need be done.",
        );
    }
}

fn names(streams: &[DataStream]) -> String {
    if streams.is_empty() {
        return "nothing that the connector reads".to_owned();
    }
    streams
        .iter()
        .map(|stream| stream.name())
        .collect::<Vec<_>>()
        .join(", ")
}

/// A product of which something was bought.
struct Held<'a> {
    product: &'a Product,
    /// "500 agents"
    amount: String,
    /// As the tenant writes it.
    expiration: Option<String>,
    expired: bool,
}

impl<'a> Held<'a> {
    fn read(product: &'a Product, info: &Map<String, Value>, now: u64) -> Option<Held<'a>> {
        let amount = amount(info.get(&format!("purchased_{}", product.key))?)?;
        let expiration = info.get(&format!("{}_expiration", product.key));
        let written = match expiration {
            Some(Value::String(text)) if !text.trim().is_empty() => {
                Some(text.trim().chars().take(60).collect())
            }
            _ => None,
        };
        let at = expiration.and_then(moment);
        Some(Held {
            product,
            amount,
            expiration: written,
            expired: at.is_some_and(|at| at < now),
        })
    }

    fn text(&self) -> String {
        let mut text = format!("{} ({}", self.product.title, self.amount);
        if let Some(expiration) = &self.expiration {
            text += if self.expired {
                ", expired "
            } else {
                ", until "
            };
            text += expiration;
        }
        text + ")"
    }
}

/// How much was bought: a number, or an object such as {"agents": 500}. None where it is nothing.
fn amount(value: &Value) -> Option<String> {
    let positive = |value: &Value| value.as_f64().is_some_and(|number| number > 0.0);
    match value {
        Value::Bool(true) => Some("bought".to_owned()),
        Value::Number(number) if positive(value) => Some(number.to_string()),
        Value::Object(parts) => {
            let parts: Vec<String> = parts
                .iter()
                .filter(|(_, count)| positive(count))
                .map(|(unit, count)| format!("{count} {unit}"))
                .collect();
            (!parts.is_empty()).then(|| parts.join(", "))
        }
        Value::String(text) => {
            let text = text.trim();
            decimal(text)
                .is_some_and(|number| number > 0.0)
                .then(|| text.to_owned())
        }
        _ => None,
    }
}

/// "May 18th 2023 08:51:59", the tenant's own way to write a moment, or any other that the API uses.
fn moment(value: &Value) -> Option<u64> {
    if let Some(moment) = time::timestamp(value) {
        return Some(moment);
    }
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let text = value.as_str()?.to_lowercase();
    let mut words = text.split_whitespace();
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| month.starts_with(name))? + 1;
    let day: u8 = words
        .next()?
        .trim_end_matches(|c: char| !c.is_ascii_digit())
        .parse()
        .ok()?;
    let year: u16 = words.next()?.trim_end_matches(',').parse().ok()?;
    let clock = words.next().unwrap_or("00:00:00");
    time::timestamp(&Value::from(format!(
        "{year:04}-{month:02}-{day:02} {clock} UTC"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Verdict;
    use serde_json::json;

    /// 2023-05-01 00:00:00 UTC
    const NOW: u64 = 1_682_899_200_000;

    fn licence(streams: &str, info: Value) -> (Verdict, String) {
        let config =
            json!({"baseUrl": "https://x.example.com", "apiKeyId": "7", "dataStreams": streams})
                .to_string();
        let settings = Settings::from_config(config.as_bytes()).unwrap();
        let Value::Object(info) = info else {
            panic!("no object")
        };
        let mut report = Report::default();
        check(&mut report, &settings, &Ok(TenantInfo(info)), NOW);
        let check = report
            .finish("")
            .into_iter()
            .find(|check| check.name == "licence")
            .unwrap();
        (check.verdict, check.detail)
    }

    #[test]
    fn licences_are_named_with_amount_and_end() {
        let (verdict, detail) = licence(
            "endpoints,alerts,vulnerabilities",
            json!({
                "pro_per_endpoint_expiration": "May 18th 2023 08:51:59",
                "purchased_pro_per_endpoint": {"agents": 500},
                "prevent_expiration": 0,
                "purchased_prevent": 0,
                "pro_tb_expiration": "May 17th 2022 07:51:59",
                "purchased_pro_tb": {"tb": 5},
                "host_insights_expiration": "May 18th 2023 08:51:59",
                "purchased_host_insights": 500,
            }),
        );
        assert_eq!(verdict, Verdict::Passed);
        assert_eq!(
            detail,
            "Cortex XDR Pro per Endpoint (500 agents, until May 18th 2023 08:51:59); Cortex XDR Pro per GB (5 tb, expired May 17th 2022 \
             07:51:59); Host Insights (500, until May 18th 2023 08:51:59). Permits endpoints, alerts, vulnerabilities."
        );
    }

    #[test]
    fn a_chosen_stream_that_no_licence_covers_is_told_and_blocks_nothing() {
        let prevent =
            json!({"purchased_prevent": 100, "prevent_expiration": "Dec 1st 2023 00:00:00"});
        assert_eq!(
            licence("endpoints,alerts", prevent.clone()).0,
            Verdict::Passed
        );
        let (verdict, detail) = licence("endpoints,vulnerabilities", prevent);
        assert_eq!(verdict, Verdict::Warned);
        assert!(
            detail.contains("vulnerabilities is not licensed"),
            "{detail}"
        );
    }

    #[test]
    fn an_expired_licence_permits_nothing() {
        let (verdict, detail) = licence(
            "endpoints",
            json!({"purchased_prevent": 1, "prevent_expiration": "Apr 30th 2023 23:59:59"}),
        );
        assert_eq!(verdict, Verdict::Warned);
        assert!(detail.contains("expired Apr 30th 2023"), "{detail}");
    }

    #[test]
    fn unknown_and_strange_counters_are_survived() {
        for info in [
            json!({}),
            json!({"purchased_prevent": null, "purchased_pro_tb": {"tb": 0}, "purchased_pro_per_endpoint": [1]}),
            json!({"purchased_compute_unit": 10}),
            json!({"purchased_cloud": {"workloads": 5}}),
        ] {
            assert_eq!(
                licence("endpoints", info.clone()).0,
                Verdict::Warned,
                "{info}"
            );
        }
        let odd = json!({"purchased_prevent": "10", "prevent_expiration": ["never"]});
        assert_eq!(licence("endpoints", odd).0, Verdict::Passed);
    }

    #[test]
    fn the_tenants_own_way_to_write_a_moment_is_read() {
        for (written, expected) in [
            (json!("May 18th 2023 08:51:59"), Some(1_684_399_919_000)),
            (json!("February 1st 2024"), Some(1_706_745_600_000)),
            (json!(1_684_399_919_000_u64), Some(1_684_399_919_000)),
            (json!("Smarch 1st 2024 00:00:00"), None),
            (json!("May"), None),
            (json!(0), None),
            (json!(""), None),
        ] {
            assert_eq!(moment(&written), expected, "{written}");
        }
    }
}
