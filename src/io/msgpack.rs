//! MessagePack values, one after the other, as lines of JSON: everything behind them reads them like any other record.

use std::fmt;
use std::io::{self, Read};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::lines::LINE_BYTES_MAX;

/// Reads values from `input` and gives their JSON, a line each.
pub(super) struct JsonLines<R> {
    input: R,
    line: Vec<u8>,
    at: usize,
}

impl<R: Read> JsonLines<R> {
    pub fn over(input: R) -> JsonLines<R> {
        JsonLines { input, line: Vec::new(), at: 0 }
    }

    /// False at the end, which is between two values.
    fn next(&mut self) -> io::Result<bool> {
        let mut first = [0];
        if self.input.read(&mut first)? == 0 {
            return Ok(false);
        }
        let value = first.as_slice().chain((&mut self.input).take(LINE_BYTES_MAX as u64));
        let Json(value) = rmp_serde::from_read(value).map_err(|error| io::Error::other(format!("no MessagePack: {error}")))?;
        self.line.clear();
        serde_json::to_writer(&mut self.line, &value)?;
        self.line.push(b'\n');
        self.at = 0;
        Ok(true)
    }
}

impl<R: Read> Read for JsonLines<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() && !self.next()? {
            return Ok(0);
        }
        let count = (&self.line[self.at..]).read(out)?;
        self.at += count;
        Ok(count)
    }
}

/// A value as JSON has it: bytes are lists of numbers, NaN and infinities null, keys texts.
struct Json(Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Json, D::Error> {
        reader.deserialize_any(AnyValue).map(Json)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f32<E>(self, value: f32) -> Result<Value, E> {
        // In as few digits as tell it apart.
        Ok(Number::from_f64(crate::node::shortest(value)).map_or(Value::Null, Value::Number))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(Json(item)) = items.next_element()? {
            out.push(item);
        }
        Ok(out.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut out = Map::new();
        while let Some((Json(key), Json(value))) = fields.next_entry()? {
            let key = if let Value::String(key) = key { key } else { key.to_string() };
            out.insert(key, value);
        }
        Ok(out.into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(bytes: &[u8]) -> io::Result<Vec<Value>> {
        let mut text = String::new();
        JsonLines::over(bytes).read_to_string(&mut text)?;
        Ok(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    #[test]
    fn values_become_lines_of_json() {
        let values = [json!({"n": -3, "x": 0.5, "on": true, "acc": [1, [2.5, null]], "t": "ä"}), json!([]), json!(7)];
        let bytes: Vec<u8> = values.iter().flat_map(|value| rmp_serde::to_vec_named(value).unwrap()).collect();
        assert_eq!(lines(&bytes).unwrap(), values);
        assert_eq!(lines(b"").unwrap(), Vec::<Value>::new());
    }

    #[test]
    fn what_json_does_not_have_is_null_a_list_or_a_text() {
        // A map of NaN under the key 1, and three bytes under "b".
        let bytes = [0x82, 0x01, 0xca, 0x7f, 0xc0, 0x00, 0x00, 0xa1, b'b', 0xc4, 0x03, 1, 2, 3];
        assert_eq!(lines(&bytes).unwrap(), [json!({"1": null, "b": [1, 2, 3]})]);
        // 0.1 as f32.
        assert_eq!(lines(&[0xca, 0x3d, 0xcc, 0xcc, 0xcd]).unwrap(), [json!(0.1)]);
    }

    #[test]
    fn a_value_that_breaks_off_is_said() {
        let error = lines(&[0x92, 0x01]).unwrap_err();
        assert!(error.to_string().starts_with("no MessagePack"), "{error}");
    }
}
