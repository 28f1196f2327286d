use super::*;
use crate::component::publisher::Publisher;
use crate::component::{Standing, TrustedKey, beside};
use std::path::Path;

/// Signs bytes with a key that was made a moment ago; gives the signature and what trusts it.
fn signed(bytes: &[u8]) -> (String, Trust) {
    let publisher = Publisher::new();
    let trust = Trust {
        required: true,
        keys: vec![TrustedKey::parse(&publisher.key()).unwrap()],
        signature: None,
    };
    (publisher.sign(bytes), trust)
}

fn bundled() -> Vec<u8> {
    Source::Bundled
        .read(&Limits::default())
        .unwrap()
        .bytes
        .into_owned()
}

fn runtime(cache: Option<&Path>, trust: Trust) -> Arc<Runtime> {
    Runtime::new(RuntimeOptions {
        cache: cache.map(Path::to_path_buf),
        trust,
        ..RuntimeOptions::default()
    })
    .unwrap()
}

#[tokio::test]
async fn a_compiled_component_in_the_cache_is_no_way_around_its_signature() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, path) = (folder.path().join("cache"), folder.path().join("c.wasm"));
    let source = Source::File(path.clone());
    let (signature, trust) = signed(&bundled());
    std::fs::write(&path, bundled()).unwrap();
    // Compiled and kept while nothing was required.
    let relaxed = runtime(Some(&cache), Trust::default());
    assert_eq!(
        *relaxed.load(&source).await.unwrap().standing(),
        Standing::Unsigned
    );
    assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 1);
    let strict = runtime(Some(&cache), trust);
    let refused = strict.load(&source).await;
    assert!(matches!(refused, Err(LoadError::Untrusted { .. })));
    std::fs::write(beside(&path), signature).unwrap();
    let loaded = strict.load(&source).await.unwrap();
    assert!(matches!(loaded.standing(), Standing::Signed { .. }));
    // Taken away again: each load is judged.
    std::fs::remove_file(beside(&path)).unwrap();
    let refused = strict.load(&source).await;
    assert!(matches!(refused, Err(LoadError::Untrusted { .. })));
}

/// Both files are pipes: whoever opens the component a second time gets what was never signed, and nobody does. Once the signature is being read,
/// the component was read to its end.
#[cfg(unix)]
#[tokio::test]
async fn the_bytes_that_are_compiled_are_those_whose_signature_was_checked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.wasm");
    for pipe in [&path, &beside(&path)] {
        let made = std::process::Command::new("mkfifo").arg(pipe).status();
        assert!(made.unwrap().success());
    }
    let (signature, trust) = signed(&bundled());
    let pipe = path.clone();
    let (done, ended) = std::sync::mpsc::channel();
    let writer = std::thread::spawn(move || {
        std::fs::write(&pipe, bundled()).unwrap();
        std::fs::write(beside(&pipe), signature).unwrap();
        std::fs::write(&pipe, b"never signed").unwrap();
        done.send(()).unwrap();
    });
    let source = Source::File(path.clone());
    let loaded = runtime(None, trust).load(&source).await.unwrap();
    assert!(ended.try_recv().is_err(), "the file was read twice");
    assert_eq!(loaded.sha256(), crate::domain::sha256_hex(&bundled()));
    assert!(matches!(loaded.standing(), Standing::Signed { .. }));
    assert_eq!(std::fs::read(&path).unwrap(), b"never signed");
    writer.join().unwrap();
}

#[tokio::test]
async fn what_is_not_trusted_is_refused_before_it_is_judged_as_a_component() {
    let (_, trust) = signed(b"something else");
    let garbage = Source::Bytes("garbage".to_owned(), b"no component".to_vec());
    let refused = runtime(None, trust).load(&garbage).await;
    assert!(matches!(refused, Err(LoadError::Untrusted { .. })));
}
