//! Changes the tenant, as living tenants change, through the same handle that tests use.

use super::mutation::Mutation;
use crate::tenant::handle::{TenantHandle, format_endpoint_id};
use crate::tenant::mix::Mix;
use crate::tenant::view::{AlertChange, EndpointChange, NewAlert, NewEndpoint};
use crate::tenant::{alert, endpoint};

const HOUR: i64 = 3_600_000;

/// How many rows are looked at for one that fits.
const TRIES: usize = 16;

/// Makes one change. Returns what was changed; `None` when the tenant has nothing that it could be made to.
pub fn mutate(tenant: &TenantHandle, mutation: Mutation, mix: &mut Mix) -> Option<String> {
    match mutation {
        Mutation::EndpointAdded => Some(add_endpoint(tenant, mix)),
        Mutation::EndpointRenamed => {
            let id = any_endpoint(tenant, mix)?;
            let name = format!("renamed-{:06}", mix.below(1_000_000));
            let detail = format!("{id} is {name}");
            let change = EndpointChange {
                name: Some(name),
                ..EndpointChange::default()
            };
            tenant.change_endpoint(&id, change).then_some(detail)
        }
        Mutation::EndpointRetagged => retag(tenant, mix),
        Mutation::EndpointStatus => {
            let id = any_endpoint(tenant, mix)?;
            let status = mix.pick(&endpoint::STATUSES);
            let change = EndpointChange {
                status: Some(status.to_owned()),
                ..EndpointChange::default()
            };
            tenant
                .change_endpoint(&id, change)
                .then(|| format!("{id} is {status}"))
        }
        Mutation::EndpointCves => change_cves(tenant, mix),
        Mutation::EndpointHeartbeat => heartbeat(tenant, mix),
        Mutation::EndpointDeleted => {
            let id = any_endpoint(tenant, mix)?;
            tenant.remove_endpoint(&id).then_some(id)
        }
        Mutation::AlertAdded => Some(add_alert(tenant, mix)),
        Mutation::AlertChanged => {
            let id = any_alert(tenant, mix, |status| !is_resolved(status))?;
            let severity = mix.pick(&alert::SEVERITIES).0;
            let looked_into = mix.percent(50);
            let change = AlertChange {
                severity: Some(severity.to_owned()),
                status: looked_into.then(|| "STATUS_020_UNDER_INVESTIGATION".to_owned()),
                ..AlertChange::default()
            };
            tenant
                .change_alert(&id, change)
                .then(|| format!("{id} is {severity}"))
        }
        Mutation::AlertResolved => {
            let id = any_alert(tenant, mix, |status| !is_resolved(status))?;
            let resolved = alert::STATUSES.map(|(status, _)| status);
            let resolved = resolved.get(2..).unwrap_or_default();
            let status = mix.pick(resolved);
            tenant
                .resolve_alert(&id, status)
                .then(|| format!("{id} is {status}"))
        }
        Mutation::AlertReopened => {
            let id = any_alert(tenant, mix, is_resolved)?;
            tenant.resolve_alert(&id, "STATUS_010_NEW").then_some(id)
        }
        Mutation::AlertDeleted => {
            let id = any_alert(tenant, mix, |_| true)?;
            tenant.remove_alert(&id).then_some(id)
        }
    }
}

/// Whether a resolution status means that an alert is no longer open.
pub fn is_resolved(status: &str) -> bool {
    status.contains("_RESOLVED")
}

/// The id of an endpoint, each as likely as the others, if one is met with within a few tries. Rows are drawn by number, not by
/// time, so that nothing depends on how long anything took.
fn any_endpoint(tenant: &TenantHandle, mix: &mut Mix) -> Option<String> {
    let tenant = tenant.read();
    (0..TRIES).find_map(|_| {
        let at = mix.below(tenant.endpoints.len() as u64) as usize;
        let endpoint = tenant.endpoints.get(at).filter(|row| row.alive)?;
        Some(format_endpoint_id(tenant.profile(endpoint).id))
    })
}

/// The id of an alert whose status fits, if one is met with within a few tries.
fn any_alert(tenant: &TenantHandle, mix: &mut Mix, fits: fn(&str) -> bool) -> Option<String> {
    let tenant = tenant.read();
    (0..TRIES).find_map(|_| {
        let at = mix.below(tenant.alerts.len() as u64) as usize;
        let alert = tenant.alerts.get(at).filter(|row| row.alive)?;
        fits(tenant.alert_statuses.get(alert.status)).then(|| alert.id.to_string())
    })
}

fn add_endpoint(tenant: &TenantHandle, mix: &mut Mix) -> String {
    // One in four was installed long ago and reports only now.
    let late = mix.percent(25).then(|| {
        let now = tenant.read().now();
        now - mix.below(1_000 * HOUR as u64) as i64
    });
    tenant.add_endpoint(NewEndpoint {
        first_seen: late,
        server_tags: Some(vec![mix.pick(&endpoint::SERVER_TAGS).to_owned()]),
        ..NewEndpoint::default()
    })
}

/// Takes an endpoint its first server tag, or gives it another one.
fn retag(tenant: &TenantHandle, mix: &mut Mix) -> Option<String> {
    let id = any_endpoint(tenant, mix)?;
    let mut tags = tenant.endpoint(&id)?.server_tags;
    let tag = mix.pick(&endpoint::SERVER_TAGS).to_owned();
    let detail = if tags.is_empty() || mix.percent(40) && !tags.contains(&tag) {
        let detail = format!("{id} has {tag}");
        tags.push(tag);
        detail
    } else {
        format!("{id} lost {}", tags.remove(0))
    };
    let change = EndpointChange {
        server_tags: Some(tags),
        ..EndpointChange::default()
    };
    tenant.change_endpoint(&id, change).then_some(detail)
}

/// A scan that finds one CVE less, or one more.
fn change_cves(tenant: &TenantHandle, mix: &mut Mix) -> Option<String> {
    let id = any_endpoint(tenant, mix)?;
    let mut names = tenant.endpoint_cves(&id).unwrap_or_default();
    let any = {
        let tenant = tenant.read();
        let at = mix.below(tenant.cves.len() as u64) as usize;
        tenant.cves.get(at).map(|cve| cve.name.to_string())
    };
    let new = any.filter(|name| !names.contains(name));
    let detail = match new {
        Some(name) if names.is_empty() || mix.percent(50) => {
            let detail = format!("{id} has {name}");
            names.push(name);
            detail
        }
        _ if names.is_empty() => return None,
        _ => {
            let at = mix.below(names.len() as u64) as usize;
            format!("{id} lost {}", names.swap_remove(at))
        }
    };
    tenant.set_cves(&id, Some(names)).then_some(detail)
}

fn heartbeat(tenant: &TenantHandle, mix: &mut Mix) -> Option<String> {
    let now = tenant.read().now();
    let count = 1 + mix.below(5);
    for _ in 0..count {
        let id = any_endpoint(tenant, mix)?;
        let change = EndpointChange {
            last_seen: Some(now),
            ..EndpointChange::default()
        };
        tenant.change_endpoint(&id, change);
    }
    Some(format!("{count} endpoints"))
}

fn add_alert(tenant: &TenantHandle, mix: &mut Mix) -> String {
    let endpoint_id = any_endpoint(tenant, mix).filter(|_| mix.percent(70));
    let (source, _, _) = mix.pick(&alert::SOURCES);
    let (severity, _) = mix.pick(&alert::SEVERITIES);
    // Creation: mostly now, sometimes days ago (it arrives late), sometimes the very moment of another alert.
    let created = {
        let tenant = tenant.read();
        let at = mix.below(tenant.alerts.len() as u64) as usize;
        match mix.below(10) {
            0 | 1 => Some(tenant.now() - mix.below(150 * HOUR as u64) as i64),
            2 => tenant.alerts.get(at).map(|alert| alert.created),
            _ => None,
        }
    };
    let late = created.is_some();
    let id = tenant.add_alert(NewAlert {
        source: Some(source.to_owned()).filter(|source| !source.is_empty()),
        severity: Some(severity.to_owned()),
        endpoint_id,
        creation_time: created,
        ..NewAlert::default()
    });
    match late {
        true => format!("{id}, late"),
        false => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::tenant::Tenant;
    use crate::tenant::mix::Purpose;
    use crate::tenant::view::EndpointView;
    use crate::xql::engine::XqlEngine;

    fn tenant(endpoints: usize, alerts: usize) -> TenantHandle {
        let options = Options {
            endpoints,
            alerts,
            ..Options::default()
        };
        TenantHandle::new(
            Tenant::generate(&options, 1_750_000_000_000),
            XqlEngine::new(&options, 20_000),
        )
    }

    fn mix(number: u64) -> Mix {
        Mix::new(1, Purpose::MutationDetail, number)
    }

    /// What a mutation may change, as (endpoints, states of endpoints, CVEs, alerts, states of alerts).
    fn parts(tenant: &TenantHandle) -> [Vec<String>; 5] {
        let endpoints: Vec<EndpointView> = tenant.endpoints();
        let alerts = tenant.alerts();
        // last_seen is left out: it moves with every heartbeat.
        let state =
            |view: EndpointView| format!("{} {} {:?}", view.name, view.status, view.server_tags);
        [
            endpoints.iter().map(|each| each.id.clone()).collect(),
            endpoints.into_iter().map(state).collect(),
            tenant
                .vulnerabilities()
                .iter()
                .map(|each| format!("{each:?}"))
                .collect(),
            alerts.iter().map(|each| each.id.clone()).collect(),
            alerts
                .iter()
                .map(|each| format!("{} {}", each.status, each.severity))
                .collect(),
        ]
    }

    #[test]
    fn each_mutation_changes_what_its_name_says_and_leaves_the_other_kind_of_record_alone() {
        for mutation in Mutation::ALL {
            let tenant = tenant(60, 60);
            let before = parts(&tenant);
            let done = (0..20).filter_map(|number| mutate(&tenant, *mutation, &mut mix(number)));
            assert!(done.count() > 0, "{mutation} was never made");
            let after = parts(&tenant);
            let [endpoints, states, cves, alerts, alert_states] =
                std::array::from_fn(|at| before[at] != after[at]);
            let counts = (after[0].len().cmp(&60), after[3].len().cmp(&60));
            use std::cmp::Ordering::{Equal, Greater, Less};
            match mutation {
                Mutation::EndpointAdded => assert_eq!(counts, (Greater, Equal)),
                Mutation::EndpointDeleted => assert_eq!(counts, (Less, Equal)),
                Mutation::EndpointRenamed
                | Mutation::EndpointRetagged
                | Mutation::EndpointStatus => assert!(states && !endpoints),
                Mutation::EndpointCves => assert!(cves && !states && !endpoints),
                Mutation::EndpointHeartbeat => assert!(!states && !cves && !endpoints),
                Mutation::AlertAdded => assert_eq!(counts, (Equal, Greater)),
                Mutation::AlertDeleted => assert_eq!(counts, (Equal, Less)),
                Mutation::AlertChanged | Mutation::AlertResolved | Mutation::AlertReopened => {
                    assert!(alert_states && !alerts);
                }
            }
            let of_alerts = mutation.name().starts_with("alert-");
            assert_eq!(of_alerts, alerts || alert_states, "{mutation}");
            assert!(!of_alerts || !(endpoints || states || cves), "{mutation}");
        }
    }

    #[test]
    fn a_heartbeat_moves_last_seen() {
        let tenant = tenant(3, 0);
        let seen = |tenant: &TenantHandle| {
            let endpoints = tenant.endpoints().into_iter();
            endpoints.map(|each| each.last_seen).collect::<Vec<_>>()
        };
        let before = seen(&tenant);
        mutate(&tenant, Mutation::EndpointHeartbeat, &mut mix(1)).unwrap();
        assert_ne!(seen(&tenant), before);
    }

    #[test]
    fn an_alert_is_resolved_once_and_only_a_resolved_one_is_opened_again() {
        let tenant = tenant(0, 0);
        let id = tenant.add_alert(NewAlert::default());
        let status = || tenant.alert(&id).unwrap().status;
        assert_eq!(mutate(&tenant, Mutation::AlertReopened, &mut mix(1)), None);
        assert!(mutate(&tenant, Mutation::AlertResolved, &mut mix(2)).is_some());
        assert!(is_resolved(&status()));
        assert_eq!(mutate(&tenant, Mutation::AlertResolved, &mut mix(3)), None);
        assert!(mutate(&tenant, Mutation::AlertReopened, &mut mix(4)).is_some());
        assert_eq!(status(), "STATUS_010_NEW");
    }

    #[test]
    fn an_empty_tenant_can_only_grow() {
        let tenant = tenant(0, 0);
        for mutation in Mutation::ALL {
            let done = mutate(&tenant, *mutation, &mut mix(1)).is_some();
            let grows = matches!(mutation, Mutation::EndpointAdded | Mutation::AlertAdded);
            if grows {
                assert!(done);
                // The next mutation finds the tenant empty again.
                for endpoint in tenant.endpoints() {
                    tenant.remove_endpoint(&endpoint.id);
                }
                for alert in tenant.alerts() {
                    tenant.remove_alert(&alert.id);
                }
            } else if *mutation != Mutation::EndpointHeartbeat {
                assert!(!done, "{mutation}");
            }
        }
    }
}
