use super::*;
use crate::component::Source;
use crate::engine::{Limits, Runtime, RuntimeOptions};

fn file(bytes: Vec<u8>) -> ComponentFile {
    let source = Source::Bytes("example".to_owned(), bytes);
    source.read(&Limits::default()).unwrap()
}

/// What the whole loader says of a component in the text format.
async fn refused(text: &str) -> LoadError {
    let source = Source::Bytes("example".to_owned(), wat::parse_str(text).unwrap());
    let runtime = Runtime::new(RuntimeOptions::default()).unwrap();
    match runtime.load(&source).await {
        Err(error) => error,
        Ok(_) => panic!("it loads"),
    }
}

/// The first import that is refused, as it is named.
async fn forbidden(text: &str) -> String {
    match refused(text).await {
        LoadError::ForbiddenImport { import, .. } => import,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn what_the_contract_does_not_offer_is_refused_by_its_name() {
    for (import, shape) in [
        ("wasi:sockets/tcp@0.2.0", "(instance)"),
        ("wasi:filesystem/types@0.2.0", "(instance)"),
        ("wasi:cli/environment@0.2.0", "(instance)"),
        ("exec", "(func)"),
        ("connector:platform/shell@0.1.0", "(instance)"),
    ] {
        let text = format!("(component (import \"{import}\" {shape}))");
        assert_eq!(forbidden(&text).await, import);
    }
}

#[tokio::test]
async fn an_interface_of_the_contract_in_another_version_is_refused_by_its_name() {
    for version in ["0.1.1", "0.2.0", "9.9.9"] {
        let import = format!("connector:platform/http@{version}");
        let text = format!("(component (import \"{import}\" (instance)))");
        assert_eq!(forbidden(&text).await, import);
    }
}

#[tokio::test]
async fn a_forbidden_import_is_found_behind_allowed_ones() {
    let text = "(component
        (import \"connector:platform/log@0.1.0\" (instance))
        (import \"wasi:sockets/tcp@0.2.0\" (instance)))";
    assert_eq!(forbidden(text).await, "wasi:sockets/tcp@0.2.0");
}

#[tokio::test]
async fn a_forbidden_import_is_found_before_anything_is_compiled() {
    // The module's body is not valid: a compiler would say so.
    let text = "(component
        (import \"wasi:sockets/tcp@0.2.0\" (instance))
        (core module (func (result i32) i64.const 0)))";
    assert_eq!(forbidden(text).await, "wasi:sockets/tcp@0.2.0");
}

#[tokio::test]
async fn a_component_inside_gets_nothing_that_the_outer_one_does_not_get() {
    // Handed on by the outer one, which must import it.
    let handed_on = "(component
        (import \"wasi:sockets/tcp@0.2.0\" (instance $tcp))
        (component $inner (import \"tcp\" (instance)))
        (instance (instantiate $inner (with \"tcp\" (instance $tcp)))))";
    assert_eq!(forbidden(handed_on).await, "wasi:sockets/tcp@0.2.0");
    // Not handed on: not valid.
    let missing = "(component
        (component $inner (import \"wasi:sockets/tcp@0.2.0\" (instance)))
        (instance (instantiate $inner)))";
    let error = refused(missing).await;
    assert!(matches!(error, LoadError::NotAComponent { .. }), "{error}");
    assert!(
        error.to_string().contains("wasi:sockets/tcp@0.2.0"),
        "{error}"
    );
    // Never instantiated: it can do nothing, and what the contract asks for is missing.
    let idle = "(component (component (import \"wasi:sockets/tcp@0.2.0\" (instance))))";
    let error = refused(idle).await;
    assert!(matches!(error, LoadError::Contract { .. }), "{error}");
}

#[tokio::test]
async fn what_the_contract_asks_for_must_be_there() {
    let error = refused("(component)").await;
    assert!(matches!(error, LoadError::Contract { .. }), "{error}");
    assert!(
        error.to_string().contains("connector:platform/connector"),
        "{error}"
    );
}

#[tokio::test]
async fn what_the_contract_asks_for_must_have_the_right_types() {
    let text = "(component
        (core module $m (func (export \"f\") (result i32) i32.const 7))
        (core instance $i (instantiate $m))
        (func $describe (result u32) (canon lift (core func $i \"f\")))
        (instance $connector (export \"describe\" (func $describe)))
        (export \"connector:platform/connector@0.1.0\" (instance $connector)))";
    let error = refused(text).await;
    assert!(matches!(error, LoadError::Contract { .. }), "{error}");
}

#[tokio::test]
async fn an_allowed_interface_with_other_types_than_the_contracts_is_refused() {
    let text = "(component
        (import \"connector:platform/clock@0.1.0\" (instance (export \"now\" (func (param \"x\" string))))))";
    let error = refused(text).await;
    assert!(matches!(error, LoadError::Contract { .. }), "{error}");
    let text = "(component
        (import \"connector:platform/clock@0.1.0\" (instance (export \"set\" (func)))))";
    let error = refused(text).await;
    assert!(matches!(error, LoadError::Contract { .. }), "{error}");
    assert!(error.to_string().contains("set"), "{error}");
}

#[test]
fn what_is_no_component_is_said_to_be_what_it_is() {
    for (bytes, says) in [
        (wat::parse_str("(module)").unwrap(), "core module"),
        (Vec::new(), "empty"),
        (b"MZ".to_vec(), "does not begin like WebAssembly"),
        (b"\0asm\x0d\0\x01\0\xff".to_vec(), "damaged"),
    ] {
        let error = Anatomy::of(&file(bytes)).unwrap_err();
        assert!(matches!(error, LoadError::NotAComponent { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[test]
fn the_name_of_a_forbidden_import_is_not_told_longer_than_a_line() {
    let name = format!("a{}", "b".repeat(100_000));
    let text = format!("(component (import \"{name}\" (func)))");
    let error = Anatomy::of(&file(wat::parse_str(text).unwrap())).unwrap_err();
    assert!(error.to_string().len() < 1_000);
}

#[test]
fn the_bundled_component_is_taken_apart_as_a_whole() {
    let bundled = Source::Bundled.read(&Limits::default()).unwrap();
    let anatomy = Anatomy::of(&bundled).unwrap();
    assert!(
        anatomy
            .imports
            .iter()
            .all(|import| import.starts_with(contract::PACKAGE))
    );
    assert_eq!(
        anatomy.exports,
        [format!(
            "{}/connector@{}",
            contract::PACKAGE,
            contract::VERSION
        )]
    );
    assert_eq!(anatomy.metadata.name.as_deref(), Some("cortex-xdr"));
}
