//! What a person types: the base URL, and the whole configuration.

use cortex_xdr::configure::base_url::normalise;
use cortex_xdr::configure::{API_KEY, configure};

/// The bytes are a base URL by themselves, one within a configuration, and a configuration.
pub fn configuration(data: &[u8]) {
    let secrets = [API_KEY.to_owned()];
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = normalise(text);
        let config = serde_json::json!({"baseUrl": text, "apiKeyId": 7});
        completes(config.to_string().as_bytes(), &secrets);
    }
    completes(data, &secrets);
}

/// What was completed is taken again, and stays as it is.
fn completes(config: &[u8], secrets: &[String]) {
    let Ok(first) = configure(config, secrets, None) else {
        return;
    };
    let [(_, origin)] = first.origins.as_slice() else {
        panic!("one origin");
    };
    assert!(origin.starts_with("https://") || origin.starts_with("http://"), "{origin}");
    assert!(!origin.contains(['@', '?', '#', '\\', ' ']), "{origin}");
    let again = configure(&first.config, secrets, None).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(again.config, first.config);
    assert_eq!(again.origins, first.origins);
}
