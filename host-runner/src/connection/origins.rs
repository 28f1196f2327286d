//! Whether a connection may go where its configuration says: by the host's rules and by the manifest's.

use serde_json::Value;

use super::ConnectionError;
use crate::component::Manifest;
use crate::egress::Origin;

/// Judges the origins that `configure` gave, whatever it gave: each must be named by the manifest, allowed by the host and covered by
/// one of the manifest's rules.
///
/// # Errors
/// The first that is not, and why.
pub fn judge(
    manifest: &Manifest,
    origins: &[(String, String)],
    typed: &Value,
    allow_loopback: bool,
) -> Result<Vec<(String, Origin)>, ConnectionError> {
    origins
        .iter()
        .map(|(name, text)| {
            let refused = |reason: String| ConnectionError::Origin {
                name: name.clone(),
                origin: text.clone(),
                reason,
            };
            let rules = manifest
                .origins
                .iter()
                .find(|rules| rules.name == *name)
                .ok_or_else(|| refused("the manifest names no such origin".to_owned()))?;
            let origin = Origin::parse(text).map_err(|error| refused(error.to_string()))?;
            if let Some(objection) = origin.objection(allow_loopback) {
                return Err(refused(objection));
            }
            let field = |pointer: &str| {
                typed
                    .pointer(pointer)
                    .and_then(Value::as_str)
                    .map(str::to_owned)
            };
            if !rules.rules.iter().any(|rule| rule.covers(&origin, field)) {
                return Err(refused(
                    "no rule of the manifest covers it, so the connector may not go there"
                        .to_owned(),
                ));
            }
            Ok((name.clone(), origin))
        })
        .collect()
}

/// Origins as a person reads them: "https://api.example.com".
pub fn as_text(origins: &[(String, String)]) -> String {
    let texts: Vec<&str> = origins.iter().map(|(_, origin)| origin.as_str()).collect();
    texts.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::component::OriginRules;
    use crate::egress::OriginRule;

    fn manifest() -> Manifest {
        Manifest {
            name: "test".to_owned(),
            title: "Test".to_owned(),
            version: "1.0.0".to_owned(),
            vendor: "Example".to_owned(),
            product: "Example".to_owned(),
            category: String::new(),
            details: Vec::new(),
            setup: String::new(),
            config_schema: json!({}),
            origins: vec![OriginRules {
                name: "api".to_owned(),
                rules: vec![
                    OriginRule::pattern("https://api-*.example.com").unwrap(),
                    OriginRule::Field("/baseUrl".to_owned()),
                ],
            }],
            calls: Vec::new(),
            budgets: Vec::new(),
            data_streams: Vec::new(),
            maps: Vec::new(),
        }
    }

    fn judged(
        origin: &str,
        typed: &str,
        allow_loopback: bool,
    ) -> Result<Vec<(String, Origin)>, ConnectionError> {
        judge(
            &manifest(),
            &[("api".to_owned(), origin.to_owned())],
            &json!({ "baseUrl": typed }),
            allow_loopback,
        )
    }

    #[test]
    fn an_origin_is_covered_by_a_pattern_or_by_what_the_user_typed() {
        assert!(judged("https://api-acme.example.com", "acme", false).is_ok());
        assert!(
            judged(
                "https://xdr.example.org",
                "https://xdr.example.org/path",
                false
            )
            .is_ok()
        );
        assert!(judged("http://127.0.0.1:8732", "http://127.0.0.1:8732", true).is_ok());
    }

    #[test]
    fn an_origin_that_no_rule_covers_is_refused_whatever_configure_returned() {
        for origin in [
            "https://evil.example.net",
            "https://api-acme.example.com.evil.example.net",
            "http://api-acme.example.com",
            "https://api-acme.example.com:8443",
            "https://10.0.0.1",
            "http://127.0.0.1:8732",
            "not an origin",
        ] {
            assert!(judged(origin, "acme", false).is_err(), "{origin}");
        }
    }

    #[test]
    fn loopback_needs_the_flag_even_where_the_user_typed_it() {
        let error = judged("http://127.0.0.1:8732", "http://127.0.0.1:8732", false).unwrap_err();
        assert!(error.to_string().contains("--allow-loopback"), "{error}");
    }

    #[test]
    fn an_origin_that_the_manifest_does_not_name_is_refused() {
        let origins = [(
            "other".to_owned(),
            "https://api-acme.example.com".to_owned(),
        )];
        assert!(judge(&manifest(), &origins, &json!({}), false).is_err());
    }
}
