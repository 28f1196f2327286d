//! JSON as the engine holds it: text is borrowed from the record, and only what a map reads is kept.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use std::borrow::Cow;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    /// Also what is absent.
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    /// An object that is kept whole.
    Object(Vec<(Cow<'a, str>, Value<'a>)>),
    /// An object of which only some keys are wanted: their values, by the slot that [`Wanted`] gave out.
    Slots(Vec<Value<'a>>),
}

impl Value<'_> {
    /// Whether there is nothing to carry: null, "" and an object without keys. An empty list is something.
    pub(super) fn is_absent(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Text(text) => text.is_empty(),
            Value::Object(entries) => entries.is_empty(),
            _ => false,
        }
    }

    /// What it is, for a message.
    pub(super) fn describe(&self) -> String {
        match self {
            Value::Null => "null".into(),
            Value::Bool(value) => value.to_string(),
            Value::Unsigned(_) | Value::Signed(_) | Value::Float(_) => {
                format!("the number {}", self.text().unwrap_or_default())
            }
            Value::Text(text) => match text.char_indices().nth(60) {
                Some((end, _)) => format!(
                    "the text \"{}...\"",
                    text.get(..end).unwrap_or_default().escape_debug()
                ),
                None => format!("the text \"{}\"", text.escape_debug()),
            },
            Value::List(_) => "a list".into(),
            Value::Object(_) | Value::Slots(_) => "an object".into(),
        }
    }

    /// A scalar as text; none for null, lists and objects.
    pub(super) fn text(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Value::Text(text) => Cow::Borrowed(text.as_ref()),
            Value::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Value::Unsigned(value) => Cow::Owned(value.to_string()),
            Value::Signed(value) => Cow::Owned(value.to_string()),
            Value::Float(value) => Cow::Owned(value.to_string()),
            Value::Null | Value::List(_) | Value::Object(_) | Value::Slots(_) => return None,
        })
    }

    /// The same value without copying its text.
    pub(super) fn borrowed(&self) -> Value<'_> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(*value),
            Value::Unsigned(value) => Value::Unsigned(*value),
            Value::Signed(value) => Value::Signed(*value),
            Value::Float(value) => Value::Float(*value),
            Value::Text(text) => Value::Text(Cow::Borrowed(text)),
            Value::List(items) => Value::List(items.iter().map(Value::borrowed).collect()),
            Value::Slots(items) => Value::Slots(items.iter().map(Value::borrowed).collect()),
            Value::Object(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| (Cow::Borrowed(key.as_ref()), value.borrowed()))
                    .collect(),
            ),
        }
    }

    /// A value of a map's JSON.
    pub(super) fn from_json(value: &serde_json::Value) -> Value<'static> {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(number) => {
                match (number.as_u64(), number.as_i64(), number.as_f64()) {
                    (Some(value), _, _) => Value::Unsigned(value),
                    (None, Some(value), _) => Value::Signed(value),
                    (None, None, Some(value)) => Value::Float(value),
                    (None, None, None) => Value::Null,
                }
            }
            serde_json::Value::String(text) => Value::Text(Cow::Owned(text.clone())),
            serde_json::Value::Array(items) => {
                Value::List(items.iter().map(Value::from_json).collect())
            }
            serde_json::Value::Object(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| (Cow::Owned(key.clone()), Value::from_json(value)))
                    .collect(),
            ),
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Unsigned(value) => serializer.serialize_u64(*value),
            Value::Signed(value) => serializer.serialize_i64(*value),
            Value::Float(value) => serializer.serialize_f64(*value),
            Value::Text(text) => serializer.serialize_str(text),
            Value::List(items) | Value::Slots(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Value::Object(entries) => {
                let mut object = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    object.serialize_entry(key, value)?;
                }
                object.end()
            }
        }
    }
}

/// What a map reads of a record: the tree of its source paths. What lies outside is skipped while parsing, unbuilt.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// A rule reads the value here as a whole.
    pub(super) whole: bool,
    /// Keys below here, each with the slot of its value.
    pub(super) fields: BTreeMap<String, (usize, Wanted)>,
    /// What is wanted of each element, where it is a list.
    pub(super) items: Option<Box<Wanted>>,
}

impl Wanted {
    /// The slot of a key, given out on first use, and what is wanted below it.
    pub(super) fn field(&mut self, name: &str) -> (usize, &mut Wanted) {
        let next = self.fields.len();
        let (slot, below) = self
            .fields
            .entry(name.to_owned())
            .or_insert_with(|| (next, Wanted::default()));
        (*slot, below)
    }

    /// Of what is an object to one rule and a list to another (no schema says which) both kinds of slots are wanted, and a value has but one kind: it is
    /// read whole, and then by names.
    pub(super) fn settle(&mut self) {
        self.whole |= self.items.is_some() && !self.fields.is_empty();
        let below = self.fields.values_mut().map(|(_, below)| below);
        for below in below.chain(self.items.as_deref_mut()) {
            below.settle();
        }
    }

    /// What is wanted of each element.
    pub(super) fn items(&mut self) -> &mut Wanted {
        self.items.get_or_insert_default()
    }
}

/// Reads a value and keeps what is wanted of it.
pub(super) struct Pick<'w>(pub(super) &'w Wanted);

impl<'de> DeserializeSeed<'de> for Pick<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(if self.0.whole {
            Keep::Whole
        } else {
            Keep::Picked(self.0)
        })
    }
}

/// How much to keep.
#[derive(Clone, Copy)]
enum Keep<'w> {
    Whole,
    Picked(&'w Wanted),
}

impl<'de> DeserializeSeed<'de> for Keep<'_> {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Keep<'_> {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Unsigned(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Signed(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'de>, E> {
        Ok(Value::Float(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value<'de>, A::Error> {
        let mut items = Vec::new();
        match self {
            Keep::Whole => {
                while let Some(item) = list.next_element_seed(Keep::Whole)? {
                    items.push(item);
                }
            }
            Keep::Picked(Wanted {
                items: Some(wanted),
                ..
            }) => {
                while let Some(item) = list.next_element_seed(Pick(wanted))? {
                    items.push(item);
                }
            }
            // A list where the map expects an object: that it is one is all there is to say.
            Keep::Picked(_) => while list.next_element::<IgnoredAny>()?.is_some() {},
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value<'de>, A::Error> {
        match self {
            Keep::Whole => {
                let mut keys = BinaryHeap::new();
                let mut values = Vec::new();
                while let Some(Key(key)) = object.next_key_seed(KeySeed)? {
                    keys.push((key, values.len()));
                    values.push(object.next_value_seed(Keep::Whole)?);
                }
                Ok(Value::Object(sorted(keys, values)))
            }
            Keep::Picked(wanted) => {
                // One element where a list was expected counts as a list of one.
                let wanted = match (&wanted.items, wanted.fields.is_empty()) {
                    (Some(items), true) => items,
                    _ => wanted,
                };
                let mut slots = Vec::new();
                slots.resize(wanted.fields.len(), Value::Null);
                while let Some(found) = object.next_key_seed(SlotSeed(wanted))? {
                    let Some((slot, below)) = found else {
                        object.next_value::<IgnoredAny>()?;
                        continue;
                    };
                    let value = object.next_value_seed(Pick(below))?;
                    if let Some(place) = slots.get_mut(slot) {
                        *place = value;
                    }
                }
                Ok(Value::Slots(slots))
            }
        }
    }
}

/// Entries in the order of their keys, so that equal objects print alike; each key comes with the place of its value. Of a repeated key the last
/// value counts, as in other JSON readers. A heap, because the standard library's sorting is 6 kB of component.
fn sorted<'de>(
    keys: BinaryHeap<(Cow<'de, str>, usize)>,
    mut values: Vec<Value<'de>>,
) -> Vec<(Cow<'de, str>, Value<'de>)> {
    let mut entries: Vec<(Cow<'de, str>, Value<'de>)> = Vec::with_capacity(values.len());
    for (key, at) in keys.into_sorted_vec() {
        let value = values
            .get_mut(at)
            .map_or(Value::Null, |value| std::mem::replace(value, Value::Null));
        match entries.last_mut() {
            Some((known, kept)) if *known == key => *kept = value,
            _ => entries.push((key, value)),
        }
    }
    entries
}

/// A key of an object that is kept whole.
struct Key<'a>(Cow<'a, str>);

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key<'de>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeySeed {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(text.to_owned())))
    }
}

/// A key, as the slot that it has; none where nobody wants it.
struct SlotSeed<'w>(&'w Wanted);

impl<'de, 'w> DeserializeSeed<'de> for SlotSeed<'w> {
    type Value = Option<(usize, &'w Wanted)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'w> Visitor<'_> for SlotSeed<'w> {
    type Value = Option<(usize, &'w Wanted)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.fields.get(text).map(|(slot, below)| (*slot, below)))
    }
}

/// Reads a record, keeping what is wanted.
pub(super) fn parse<'a>(body: &'a [u8], wanted: &Wanted) -> Result<Value<'a>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = Pick(wanted).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole() -> Wanted {
        Wanted {
            whole: true,
            ..Wanted::default()
        }
    }

    #[test]
    fn only_what_is_wanted_is_kept() {
        let mut wanted = Wanted::default();
        wanted.field("b").1.whole = true;
        wanted.field("c").1.items().field("d").1.whole = true;
        let value = parse(br#"{"a":[1,2],"b":[3],"c":[{"d":4,"e":5},{}]}"#, &wanted).unwrap();
        assert_eq!(
            value,
            Value::Slots(vec![
                Value::List(vec![Value::Unsigned(3)]),
                Value::List(vec![
                    Value::Slots(vec![Value::Unsigned(4)]),
                    Value::Slots(vec![Value::Null])
                ]),
            ])
        );
    }

    #[test]
    fn of_a_repeated_key_the_last_value_counts() {
        let value = parse(br#"{"a":1,"c":3,"b":0,"a":2,"a":3}"#, &whole()).unwrap();
        assert_eq!(
            serde_json::to_string(&value).unwrap(),
            r#"{"a":3,"b":0,"c":3}"#
        );
    }

    #[test]
    fn nesting_without_end_is_an_error_and_no_overflow() {
        let deep = "[".repeat(1_000_000);
        assert!(parse(deep.as_bytes(), &whole()).is_err());
        assert!(parse(deep.as_bytes(), &Wanted::default()).is_err());
    }

    proptest! {
        #[test]
        fn a_whole_value_prints_as_serde_json_prints_it(text in ".*", number in any::<f64>(), integer in any::<i64>()) {
            let json = serde_json::json!({"text": text, "n": [number, integer, null, true], text.clone(): {"z": 1, "a": 2}});
            let body = serde_json::to_vec(&json).unwrap();
            let value = parse(&body, &whole()).unwrap();
            prop_assert_eq!(serde_json::to_vec(&value).unwrap(), body);
        }
    }
}
