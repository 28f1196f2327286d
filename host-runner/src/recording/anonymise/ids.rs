//! The ids that are told instead of others.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Ids of the same shape and length, in the old order.
pub fn others(old: &BTreeSet<String>, random: &mut dyn FnMut() -> u64) -> HashMap<String, String> {
    let mut made = HashMap::new();
    let mut by_shape: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for id in old {
        by_shape.entry(shape(id)).or_default().push(id);
    }
    with_their_family(&mut by_shape);
    for (shape, ids) in by_shape {
        let places = shape.matches(['9', 'f']).count();
        let hex = shape.contains('f');
        let width = if hex { 16_u128 } else { 10 };
        let room = u32::try_from(places)
            .ok()
            .and_then(|places| width.checked_pow(places))
            .unwrap_or(u128::MAX);
        let count = ids.len() as u128;
        let known = |number: u128| old.contains(&filled(&shape, &digits(number, places, hex)));
        // A beginning from which none of them is one of the old; where there is no such room, as good as can be.
        let lowest = if hex || places < 2 { 0 } else { room / 10 };
        let span = room.saturating_sub(lowest).saturating_sub(count).max(1);
        let mut from = lowest;
        for _ in 0..64 {
            from = lowest + (u128::from(random()) << 64 | u128::from(random())) % span;
            if !(0..count).any(|number| known(from.saturating_add(number))) {
                break;
            }
        }
        for (number, id) in ids.into_iter().enumerate() {
            let other = if shape == OTHER {
                format!("id-{:08}", number + 1)
            } else {
                let number = from.saturating_add(number as u128) % room;
                filled(&shape, &digits(number, places, hex))
            };
            made.insert(id.clone(), other);
        }
    }
    made
}

/// More digits than a number in an answer has.
const BEYOND_NUMBERS: usize = 21;

/// An id of hexadecimal digits that happens to have no letter is sorted among the others of its length, and not apart. Not a short one: that may be a
/// number in an answer, and must stay one.
fn with_their_family(by_shape: &mut BTreeMap<String, Vec<&String>>) {
    let decimal: Vec<String> = by_shape
        .keys()
        .filter(|shape| shape.starts_with('9') && shape.len() >= BEYOND_NUMBERS)
        .cloned()
        .collect();
    for shape in decimal {
        let hex = shape.replace('9', "f");
        if by_shape.contains_key(&hex)
            && let Some(ids) = by_shape.remove(&shape)
        {
            let family = by_shape.entry(hex).or_default();
            family.extend(ids);
            family.sort_unstable();
        }
    }
}

/// The shape of what is neither a number nor hexadecimal.
const OTHER: &str = "other";

/// Digits as `9`, hexadecimal ones as `f`, and what stands between them.
fn shape(id: &str) -> String {
    let digits = id.chars().filter(char::is_ascii_hexdigit).count();
    if id.len() < 38 && id.chars().all(|c| c.is_ascii_digit()) {
        return "9".repeat(id.len());
    }
    if (8..=64).contains(&digits) && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        return id
            .chars()
            .map(|c| if c == '-' { '-' } else { 'f' })
            .collect();
    }
    OTHER.to_owned()
}

fn digits(number: u128, places: usize, hex: bool) -> String {
    if !hex {
        return format!("{number:0places$}");
    }
    // A number has 32 places; what is longer begins alike.
    let text = format!("{number:0width$x}", width = places.min(32));
    "a".repeat(places.saturating_sub(text.len())) + &text
}

fn filled(shape: &str, digits: &str) -> String {
    let mut digits = digits.chars();
    shape
        .chars()
        .map(|c| match c {
            '9' | 'f' => digits.next().unwrap_or('0'),
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_without_letters_is_of_the_family_of_its_length_but_a_number_stays_a_number() {
        assert_eq!(
            shape("0f8fad5b-d9cb-469f-a165-70867728950e"),
            "ffffffff-ffff-ffff-ffff-ffffffffffff"
        );
        let old = [
            "00000000000000000000000000000010",
            "0000000000000000000000000000001f",
            "00000000000000000000000000000020",
            "10000000",
            "1000000f",
        ]
        .map(str::to_owned);
        let mut random = || 1 << 40;
        let made = others(&old.iter().cloned().collect(), &mut random);
        let [a, b, c, number, _] = old.map(|id| made.get(&id).cloned().unwrap());
        assert!(a < b && b < c, "{a} {b} {c}");
        assert!(
            number.parse::<u64>().is_ok() && number.len() == 8,
            "{number}"
        );
    }
}
