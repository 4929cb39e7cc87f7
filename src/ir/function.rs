//! The built-in functions that Rust carries out: one enum per kind. `stdlib/*.mliot` declares them; a test checks that
//! both sets are equal.

use serde::{Deserialize, Serialize};

macro_rules! functions {
    ($(#[$doc:meta])* $kind:ident { $($variant:ident $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $kind { $($variant,)* }

        impl $kind {
            pub const ALL: &[$kind] = &[$($kind::$variant,)*];

            /// As the language calls it.
            pub fn name(self) -> &'static str {
                match self { $($kind::$variant => $name,)* }
            }

            pub fn named(name: &str) -> Option<$kind> {
                $kind::ALL.iter().copied().find(|function| function.name() == name)
            }

            /// Part of every hash that contains a call; raised when the function's result changes for any input.
            pub fn version(self) -> u16 {
                1
            }
        }
    };
}

functions! {
    /// A function of one row's values.
    Scalar {
        Abs "abs", Sqrt "sqrt", Exp "exp", Ln "ln", Log10 "log10", Sin "sin", Cos "cos", Tan "tan", Atan2 "atan2",
        Floor "floor", Ceil "ceil", Round "round", Sign "sign", Mod "mod", Least "least", Greatest "greatest",
        Clamp "clamp", Hypot "hypot", Coalesce "coalesce",
        Year "year", Month "month", Day "day", Weekday "weekday", Hour "hour", Minute "minute", Second "second",
        Length "length", Lower "lower", Upper "upper", Trim "trim", Contains "contains", StartsWith "starts_with",
        EndsWith "ends_with",
        Rms "rms", ZeroCrossings "zero_crossings", PeakToPeak "peak_to_peak", Crest "crest", Kurtosis "kurtosis",
        Skewness "skewness", Entropy "entropy", Energy "energy", BandPower "band_power",
        DominantFrequency "dominant_frequency", SpectralCentroid "spectral_centroid", Autocorrelation "autocorrelation",
        Mfcc "mfcc",
    }
}

functions! {
    /// A function of a row and of those before it with the same key (`scan`).
    Running {
        Previous "previous", Lag "lag", Ewma "ewma", Rate "rate", Since "since", Changed "changed", For "for",
        Hysteresis "hysteresis", CumulativeCount "cumulative_count", CumulativeSum "cumulative_sum",
        CumulativeMean "cumulative_mean", CumulativeMin "cumulative_min", CumulativeMax "cumulative_max",
    }
}

functions! {
    /// A function of the rows of one window and key.
    Aggregate {
        Count "count", Sum "sum", Mean "mean", Min "min", Max "max", Stddev "stddev", Variance "variance",
        Median "median", Quantile "quantile", First "first", Last "last", Mode "mode", Distinct "distinct",
        Slope "slope", Correlation "correlation", MeanAbsChange "mean_abs_change", Rms "rms",
        PeakToPeak "peak_to_peak", ZeroCrossings "zero_crossings", Tensor "tensor", Crest "crest",
        Kurtosis "kurtosis", Skewness "skewness", Entropy "entropy", Energy "energy", BandPower "band_power",
        DominantFrequency "dominant_frequency", SpectralCentroid "spectral_centroid", Autocorrelation "autocorrelation",
        Mfcc "mfcc",
    }
}

functions! {
    /// A column of a simulated source.
    Generator {
        Step "step", Walk "walk", Sine "sine", Noise "noise",
    }
}
