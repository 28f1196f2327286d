//! `healthcheck` and `system/get_tenant_info`.

use super::Context;
use crate::clock::{date_text, now_ms};
use crate::json::Json;
use crate::options::Licence;
use crate::reply::Reply;

/// `GET healthcheck`: 22 bytes.
pub fn healthcheck() -> Reply {
    let mut json = Json::default();
    json.begin_object();
    json.key_text("status", "Healthy");
    json.end_object();
    Reply::json(json.into_bytes())
}

/// `system/get_tenant_info`: what was bought, until when. What was not bought has the expiration 0.
pub fn get_tenant_info(context: &Context) -> Reply {
    const YEAR: i64 = 365 * 86_400_000;
    let agents = i64::try_from(context.options.endpoints)
        .unwrap_or(i64::MAX)
        .saturating_add(100);
    let bought = |licence: Licence| context.options.licence == licence;
    let end = date_text(now_ms() + YEAR);
    Reply::of(|json| {
        json.begin_object();
        let expiration = |json: &mut Json, key: &str, active: bool| {
            json.key(key);
            if active { json.text(&end) } else { json.int(0) }
        };
        let purchased = |json: &mut Json, key: &str, unit: &str, amount: i64| {
            json.key(key);
            if amount == 0 {
                return json.int(0);
            }
            json.begin_object();
            json.key_int(unit, amount);
            json.end_object();
        };
        let per_endpoint = bought(Licence::ProPerEndpoint);
        expiration(json, "pro_per_endpoint_expiration", per_endpoint);
        purchased(
            json,
            "purchased_pro_per_endpoint",
            "agents",
            if per_endpoint { agents } else { 0 },
        );
        json.key_int(
            "data_enabled_pro_per_endpoint",
            if per_endpoint { agents - 100 } else { 0 },
        );
        let prevent = bought(Licence::Prevent);
        expiration(json, "prevent_expiration", prevent);
        json.key_int("purchased_prevent", if prevent { agents } else { 0 });
        json.key_int("installed_prevent", if prevent { agents - 100 } else { 0 });
        let per_gb = bought(Licence::ProPerGb);
        expiration(json, "pro_tb_expiration", per_gb);
        purchased(json, "purchased_pro_tb", "tb", if per_gb { 5 } else { 0 });
        json.key_int("installed_pro_tb", 0);
        expiration(json, "compute_unit_expiration", false);
        json.key_int("purchased_compute_unit", 0);
        json.key_bool("compute_unit_is_trial", false);
        let insights = context.options.host_insights && per_endpoint;
        expiration(json, "host_insights_expiration", insights);
        json.key_int(
            "enabled_host_insights",
            if insights { agents - 100 } else { 0 },
        );
        json.key_int("purchased_host_insights", if insights { agents } else { 0 });
        expiration(json, "forensics_expiration", false);
        json.key_int("purchased_forensics", 0);
        json.end_object();
    })
}
