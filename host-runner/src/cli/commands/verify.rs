//! `verify`: whether a component is the one that its publisher gave. It is not loaded.

use std::path::Path;

use serde_json::json;

use crate::cli::args::{Sha256, VerifyArgs};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain::trust_remedy;
use crate::cli::failure::{CommandResult, Failure};
use crate::cli::human;
use crate::cli::table::Card;
use crate::component::{ComponentFile, Source, TrustError, TrustedKey, beside, check_signature};
use crate::engine::Limits;

/// The largest file that is read, in MiB: far more than any component that loads.
const LARGEST: u64 = 1 << 10;

/// The longest list of hashes that is read.
const LONGEST_LIST: usize = 4 << 20;

/// One thing that was checked.
struct Check {
    what: &'static str,
    passed: bool,
    detail: String,
}

/// Runs it.
pub fn run(context: &Context, args: &VerifyArgs) -> CommandResult {
    let limits = Limits {
        component_mib: LARGEST,
        ..Limits::default()
    };
    let file = Source::File(args.file.clone())
        .read(&limits)
        .map_err(|error| Failure::new(Exit::Input, error.to_string()).remedy("check the path"))?;
    let mut checks = Vec::new();
    if let Some(expected) = &args.sha256 {
        checks.push(hash(&file, expected, "as given"));
    }
    if let Some(list) = &args.sums {
        let expected = listed(list, &args.file)?;
        checks.push(hash(&file, &expected, &format!("as in {}", list.display())));
    }
    checks.extend(signature(context, args, &file, checks.is_empty())?);
    let verified = checks.iter().all(|check| check.passed);
    tell(context, &file, &checks, verified)?;
    Ok(if verified {
        Exit::Success
    } else {
        Exit::Untrusted
    })
}

fn hash(file: &ComponentFile, expected: &Sha256, source: &str) -> Check {
    let passed = file.sha256 == expected.as_str();
    Check {
        what: "sha-256",
        passed,
        detail: if passed {
            format!("{}, {source}", file.sha256)
        } else {
            format!("is {}, and should be {}", file.sha256, expected.as_str())
        },
    }
}

/// The signature is checked where it is asked for, and where nothing else was.
fn signature(
    context: &Context,
    args: &VerifyArgs,
    file: &ComponentFile,
    alone: bool,
) -> Result<Option<Check>, Failure> {
    let trust = context.trust()?;
    let asked = trust.required || trust.signature.is_some() || args.public_key.is_some();
    if !asked && !alone {
        return Ok(None);
    }
    let keys = match &args.public_key {
        Some(argument) => TrustedKey::from_argument(argument)?,
        None => trust.keys,
    };
    if keys.is_empty() {
        return Err(Failure::new(
            Exit::Usage,
            "there is nothing to check the component against",
        )
        .remedy("give what its publisher gave: --sha256 HEX, --sums FILE, or --public-key KEY|FILE and the signature"));
    }
    let path = trust.signature.unwrap_or_else(|| beside(&args.file));
    let check = match check_signature(&file.bytes, &path, &keys) {
        Ok((key, comment)) => Check {
            what: "signature",
            passed: true,
            detail: good(&path, key, &comment),
        },
        Err(error @ TrustError::Unreadable { .. }) if !path.exists() => {
            return Err(Failure::new(Exit::Input, error.to_string()).remedy(
                "name the signature with --signature FILE, or put it beside the component",
            ));
        }
        Err(error) => Check {
            what: "signature",
            passed: false,
            detail: format!("{error}; {}", trust_remedy(&error)),
        },
    };
    Ok(Some(check))
}

fn good(path: &Path, key: &TrustedKey, comment: &str) -> String {
    let mut text = format!("{} is good, by the key {}", path.display(), key.text());
    if let Some(name) = key.comment() {
        text.push_str(&format!(" (in its file: {name})"));
    }
    if !comment.is_empty() {
        text.push_str(&format!("; signed with the comment: {comment}"));
    }
    text
}

/// The hash that a list gives for a file of this name, wherever it stood when the list was made.
fn listed(list: &Path, file: &Path) -> Result<Sha256, Failure> {
    let wrong = |what: String| {
        Failure::new(Exit::Input, format!("{}: {what}", list.display()))
            .remedy("give a list as sha256sum writes it, which names the component's file")
    };
    let text = std::fs::read(list).map_err(|error| wrong(error.to_string()))?;
    if text.len() > LONGEST_LIST {
        return Err(wrong("it is too long for a list of hashes".to_owned()));
    }
    let text = String::from_utf8_lossy(&text);
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut found = text.lines().filter_map(|line| entry(line, &name));
    match (found.next(), found.next()) {
        (Some(hash), None) => Ok(hash),
        (None, _) => Err(wrong(format!("it names no {name}"))),
        (Some(_), Some(_)) => Err(wrong(format!("it names {name} more than once"))),
    }
}

/// The hash in a line such as "<hash>  folder/name" or "<hash> *name", where it is about this name.
fn entry(line: &str, name: &str) -> Option<Sha256> {
    let (hash, rest) = line.split_once(' ')?;
    let path = rest.strip_prefix([' ', '*'])?.trim_end();
    let last = path.rsplit(['/', '\\']).next()?;
    (last == name).then(|| hash.parse().ok()).flatten()
}

fn tell(
    context: &Context,
    file: &ComponentFile,
    checks: &[Check],
    verified: bool,
) -> Result<(), Failure> {
    let output = &context.output;
    let size = file.bytes.len() as u64;
    if output.json() {
        let checks: Vec<_> = checks
            .iter()
            .map(
                |check| json!({"name": check.what, "passed": check.passed, "detail": check.detail}),
            )
            .collect();
        return output.document(&json!({
            "file": file.name,
            "sha256": file.sha256,
            "size": size,
            "verified": verified,
            "checks": checks,
        }));
    }
    let mut card = Card::new(format!(
        "{} ({} bytes)",
        human::plain(&file.name),
        human::count(size)
    ));
    for check in checks {
        let verdict = if check.passed { "right" } else { "WRONG" };
        card.row(
            check.what,
            format!("{verdict}: {}", human::plain(&check.detail)),
        );
    }
    output.line(card.render(output.style().colour))?;
    output.line(if verified {
        "verified"
    } else {
        "not verified: do not use it"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_list_is_found_by_the_files_own_name() {
        let hash = "a".repeat(64);
        for line in [
            format!("{hash}  c.wasm"),
            format!("{hash} *c.wasm"),
            format!("{hash}  dist/c.wasm\r"),
            format!("{hash} *dist\\c.wasm"),
        ] {
            assert_eq!(entry(&line, "c.wasm").unwrap().as_str(), hash, "{line}");
        }
        for line in [
            format!("{hash}  xc.wasm"),
            format!("{hash}  c.wasm.minisig"),
            format!("{hash} c.wasm"),
            "short  c.wasm".to_owned(),
            String::new(),
        ] {
            assert_eq!(entry(&line, "c.wasm"), None, "{line}");
        }
    }

    #[test]
    fn a_list_that_names_a_file_twice_or_not_at_all_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("SHA256SUMS");
        let hash = "a".repeat(64);
        std::fs::write(&list, format!("{hash}  c.wasm\n{hash}  old/c.wasm\n")).unwrap();
        let twice = listed(&list, Path::new("c.wasm")).unwrap_err();
        assert!(twice.message.contains("more than once"), "{twice}");
        let none = listed(&list, Path::new("d.wasm")).unwrap_err();
        assert!(none.message.contains("names no d.wasm"), "{none}");
    }
}
