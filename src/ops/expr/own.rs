//! Functions of ours in the form that DataFusion evaluates.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field};
use datafusion::common::config::ConfigOptions;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};

pub(super) type Outcome<T> = Result<T, DataFusionError>;

/// From arguments of one length to a result of the given type.
pub(super) type Arrays = fn(&[ArrayRef], &DataType) -> Outcome<ArrayRef>;

/// From arguments as they are, constants unexpanded; `usize` is the number of rows.
pub(super) type Values = fn(&[ColumnarValue], usize, &DataType) -> Outcome<ColumnarValue>;

#[derive(Debug)]
enum Body {
    Arrays(Arrays),
    Values(Values),
}

/// Known by its name and the type of its result.
#[derive(Debug)]
struct Own {
    name: &'static str,
    result: DataType,
    signature: Signature,
    body: Body,
}

static CONFIG: LazyLock<Arc<ConfigOptions>> = LazyLock::new(|| Arc::new(ConfigOptions::default()));

pub(super) fn over_arrays(
    name: &'static str,
    args: Vec<Arc<dyn PhysicalExpr>>,
    result: &DataType,
    body: Arrays,
) -> Arc<dyn PhysicalExpr> {
    of_own(name, args, result, Body::Arrays(body))
}

pub(super) fn over_values(
    name: &'static str,
    args: Vec<Arc<dyn PhysicalExpr>>,
    result: &DataType,
    body: Values,
) -> Arc<dyn PhysicalExpr> {
    of_own(name, args, result, Body::Values(body))
}

fn of_own(name: &'static str, args: Vec<Arc<dyn PhysicalExpr>>, result: &DataType, body: Body) -> Arc<dyn PhysicalExpr> {
    let signature = Signature::any(args.len(), Volatility::Immutable);
    library(Arc::new(ScalarUDF::from(Own { name, result: result.clone(), signature, body })), args, result)
}

/// A call of a function that DataFusion brings.
pub(super) fn library(function: Arc<ScalarUDF>, args: Vec<Arc<dyn PhysicalExpr>>, result: &DataType) -> Arc<dyn PhysicalExpr> {
    let name = function.name().to_owned();
    let field = Arc::new(Field::new(&name, result.clone(), true));
    Arc::new(ScalarFunctionExpr::new(&name, function, args, field, Arc::clone(&CONFIG)))
}

impl ScalarUDFImpl for Own {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Outcome<DataType> {
        Ok(self.result.clone())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Outcome<ColumnarValue> {
        match self.body {
            Body::Values(body) => body(&args.args, args.number_rows, &self.result),
            Body::Arrays(body) => {
                let arrays = args.args.iter().map(|arg| arg.to_array(args.number_rows)).collect::<Outcome<Vec<_>>>()?;
                Ok(ColumnarValue::Array(body(&arrays, &self.result)?))
            }
        }
    }
}

impl PartialEq for Own {
    fn eq(&self, other: &Own) -> bool {
        self.name == other.name && self.result == other.result
    }
}

impl Eq for Own {}

impl Hash for Own {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.result.hash(state);
    }
}
