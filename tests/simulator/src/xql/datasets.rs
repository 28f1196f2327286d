//! The datasets, as rows made from the tenant: `va_endpoints`, `va_cves` and a few columns of `endpoints`.

use std::sync::Arc;

use super::eval::{Mentioned, Source, Table};
use super::value::Value;
use crate::options::{Licence, Options, WithoutHostInsights};
use crate::tenant::Tenant;
use crate::tenant::handle::format_endpoint_id;

/// What stands in `va_endpoints.cves` when a scan found nothing.
pub const NO_CVES: &str = "No CVEs Found";

const VA_ENDPOINTS: [&str; 5] = [
    "endpoint_name",
    "endpoint_id",
    "cves",
    "severity",
    "severity_score",
];
const VA_CVES: [&str; 16] = [
    "name",
    "cve_id",
    "description",
    "severity",
    "severity_score",
    "publication_date",
    "modification_date",
    "affected_hosts",
    "affected_products",
    "os_type",
    "type",
    "exploitability_score",
    "impact_score",
    "confidentiality",
    "integrity",
    "is_excluded",
];
const ENDPOINTS: [&str; 8] = [
    "endpoint_id",
    "endpoint_name",
    "endpoint_status",
    "endpoint_type",
    "operating_system",
    "domain",
    "first_seen",
    "last_seen",
];

/// Whether the vulnerability datasets are filled.
pub fn host_insights(options: &Options) -> bool {
    options.host_insights && options.licence == Licence::ProPerEndpoint
}

/// The tenant as a source of rows.
pub struct Datasets<'a> {
    pub tenant: &'a Tenant,
    pub options: &'a Options,
}

impl Source for Datasets<'_> {
    fn load(&self, dataset: &str, mentioned: &Mentioned) -> Result<Table, String> {
        let insights = host_insights(self.options);
        let empty = self.options.without_host_insights == WithoutHostInsights::EmptyDataset;
        match dataset {
            "va_endpoints" if insights => Ok(self.va_endpoints(mentioned)),
            "va_cves" if insights => Ok(self.va_cves(mentioned)),
            "va_endpoints" if empty => Ok(Table::new(&VA_ENDPOINTS, std::iter::empty())),
            "va_cves" if empty => Ok(Table::new(&VA_CVES, std::iter::empty())),
            "endpoints" => Ok(self.endpoints()),
            other => Err(format!("unknown dataset {other}")),
        }
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

impl Datasets<'_> {
    fn va_endpoints(&self, mentioned: &Mentioned) -> Table {
        let tenant = self.tenant;
        let lists = mentioned.wants("cves");
        let none = Value::texts(&[NO_CVES]);
        let rows = tenant
            .endpoints
            .iter()
            .zip(0..)
            .filter(|(row, _)| row.alive)
            .filter_map(|(row, at)| {
                let found = tenant.scan(at)?;
                let profile = tenant.profile(row);
                let cves = || {
                    found
                        .iter()
                        .filter_map(|cve| tenant.cves.get(*cve as usize))
                };
                let worst = cves().max_by(|a, b| a.score.total_cmp(&b.score));
                let list = match (lists, found.is_empty()) {
                    (false, _) => Value::Null,
                    (true, true) => none.clone(),
                    (true, false) => Value::List(
                        cves()
                            .map(|cve| Value::Text(Arc::clone(&cve.name)))
                            .collect(),
                    ),
                };
                Some(vec![
                    text(&Tenant::endpoint_name(row, &profile)),
                    text(&format_endpoint_id(profile.id)),
                    list,
                    worst.map_or(Value::Null, |cve| text(cve.severity)),
                    worst.map_or(Value::Null, |cve| Value::Float(cve.score)),
                ])
            });
        Table::new(&VA_ENDPOINTS, rows)
    }

    fn va_cves(&self, mentioned: &Mentioned) -> Table {
        let tenant = self.tenant;
        let mut hosts: Vec<Vec<Value>> = vec![Vec::new(); tenant.cves.len()];
        if mentioned.wants("affected_hosts") {
            for (row, at) in tenant
                .endpoints
                .iter()
                .zip(0..)
                .filter(|(row, _)| row.alive)
            {
                let Some(found) = tenant.scan(at).filter(|found| !found.is_empty()) else {
                    continue;
                };
                let name = text(&Tenant::endpoint_name(row, &tenant.profile(row)));
                for cve in found {
                    if let Some(hosts) = hosts.get_mut(cve as usize) {
                        hosts.push(name.clone());
                    }
                }
            }
        }
        let rows = tenant.cves.iter().zip(hosts).map(|(cve, hosts)| {
            vec![
                Value::Text(Arc::clone(&cve.name)),
                text(&cve.internal_id.to_string()),
                Value::Text(Arc::clone(&cve.description)),
                text(cve.severity),
                Value::Float(cve.score),
                Value::Time(cve.published),
                Value::Time(cve.modified),
                Value::List(hosts.into()),
                Value::texts(&[cve.product]),
                Value::texts(&[cve.os.as_str()]),
                text(cve.kind),
                Value::Float(cve.exploitability),
                Value::Float(cve.impact),
                text("HIGH"),
                text("HIGH"),
                text(if cve.excluded { "YES" } else { "NO" }),
            ]
        });
        Table::new(&VA_CVES, rows)
    }

    fn endpoints(&self) -> Table {
        let tenant = self.tenant;
        let rows = tenant.endpoints.iter().filter(|row| row.alive).map(|row| {
            let profile = tenant.profile(row);
            vec![
                text(&format_endpoint_id(profile.id)),
                text(&Tenant::endpoint_name(row, &profile)),
                text(tenant.endpoint_statuses.get(row.status)),
                text(profile.endpoint_type()),
                text(profile.operating_system),
                text(profile.domain),
                Value::Time(row.first_seen),
                Value::Time(tenant.last_seen(row)),
            ]
        });
        Table::new(&ENDPOINTS, rows)
    }
}

#[cfg(test)]
mod tests {
    use super::super::eval::run;
    use super::super::parser::parse;
    use super::*;

    const NOW: i64 = 1_750_000_000_000;

    #[test]
    fn both_sides_of_the_estate_agree_on_which_host_has_which_cve() {
        let options = Options {
            endpoints: 300,
            cves: 40,
            ..Options::default()
        };
        let tenant = Tenant::generate(&options, NOW);
        let datasets = Datasets {
            tenant: &tenant,
            options: &options,
        };
        let pairs = |query: &str| {
            let (table, _) = run(&parse(query).unwrap(), &datasets).unwrap();
            let mut pairs: Vec<String> = table
                .rows
                .iter()
                .map(|row| {
                    table
                        .columns
                        .iter()
                        .map(|column| format!("{:?} ", column.of(row)))
                        .collect()
                })
                .collect();
            pairs.sort();
            pairs
        };
        let by_endpoint = pairs(
            "dataset = va_endpoints | filter cves != \"No CVEs Found\" | arrayexpand cves | fields endpoint_name, cves",
        );
        let by_cve =
            pairs("dataset = va_cves | arrayexpand affected_hosts | fields affected_hosts, name");
        assert!(by_endpoint.len() > 500);
        assert_eq!(by_endpoint, by_cve);
    }

    #[test]
    fn without_host_insights_the_datasets_are_unknown_or_empty() {
        let mut options = Options {
            endpoints: 30,
            host_insights: false,
            ..Options::default()
        };
        let tenant = Tenant::generate(&options, NOW);
        let query = parse("dataset = va_cves").unwrap();
        assert!(
            run(
                &query,
                &Datasets {
                    tenant: &tenant,
                    options: &options
                }
            )
            .is_err()
        );
        options.without_host_insights = WithoutHostInsights::EmptyDataset;
        assert!(
            run(
                &query,
                &Datasets {
                    tenant: &tenant,
                    options: &options
                }
            )
            .unwrap()
            .0
            .rows
            .is_empty()
        );
        let endpoints = parse("dataset = endpoints").unwrap();
        assert_eq!(
            run(
                &endpoints,
                &Datasets {
                    tenant: &tenant,
                    options: &options
                }
            )
            .unwrap()
            .0
            .rows
            .len(),
            30
        );
    }
}
