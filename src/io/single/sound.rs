//! WAV: PCM of 8 to 32 bits, or floats.

use std::io::Cursor;

use hound::{SampleFormat, WavReader};

use crate::io::column::Reason;

use super::Content;

/// Samples in -1..1. Of several channels the mean.
pub(super) fn decode(bytes: &[u8]) -> Result<Content, Reason> {
    let mut reader = WavReader::new(Cursor::new(bytes)).map_err(|error| no_wav(&error))?;
    let spec = reader.spec();
    let samples: Result<Vec<f32>, hound::Error> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect(),
        SampleFormat::Int => {
            let scale = 1.0 / f64::from(1u32 << (u32::from(spec.bits_per_sample) - 1).min(31));
            reader.samples::<i32>().map(|sample| sample.map(|sample| (f64::from(sample) * scale) as f32)).collect()
        }
    };
    let samples = samples.map_err(|error| no_wav(&error))?;
    let channels = usize::from(spec.channels.max(1));
    let numbers = match channels {
        1 => samples,
        many => samples.chunks_exact(many).map(|frame| frame.iter().sum::<f32>() / many as f32).collect(),
    };
    Ok(Content { numbers, shape: vec![], rate_hz: Some(spec.sample_rate), channels: spec.channels.into() })
}

fn no_wav(error: &hound::Error) -> Reason {
    format!("no WAV that can be read: {error}")
}
