"""From the quantity a policy wants to the quantity a supplier accepts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shelfwise.simulate.per_series import Floats, require


def round_lots(
    quantity: npt.ArrayLike,
    moq: npt.ArrayLike = 0.0,
    multiple: npt.ArrayLike = 1.0,
    max_quantity: npt.ArrayLike = np.inf,
) -> Floats:
    """Round wanted quantities UP to orders a supplier accepts; the simulator uses this very rule.

    Nothing wanted (zero or less) stays 0. Anything else goes up to the next whole multiple, then up to the
    smallest multiple that is not below `moq`, then down to the largest multiple that is not above
    `max_quantity`. Where that largest multiple is below `moq`, no order is possible and the answer is 0.
    Distances below a billionth of a multiple are float dust and do not count as another lot.

    Args:
        quantity: any shape, units; broadcast with the rest.
        moq, multiple, max_quantity: units, as in `SupplyTerms`.

    Returns:
        Orders in units, each a whole number of multiples.

    Raises:
        UsageError: a multiple is not above 0, or a bound is not a number.

    Example:
        >>> round_lots([0, 1, 13, 500], moq=10, multiple=6, max_quantity=100)
        array([ 0., 12., 18., 96.])
        >>> (round_lots(3 * 0.1, multiple=0.1) == 3 * 0.1).item()
        True
        >>> round_lots([5, 5], moq=8, multiple=6, max_quantity=[10, 12])
        array([ 0., 12.])
    """
    from shelfwise.simulate.kernels.inventory import lots_ufunc

    wanted = np.asarray(quantity, dtype=np.float64)
    least, step, most = (np.asarray(value, dtype=np.float64) for value in (moq, multiple, max_quantity))
    flat = np.atleast_1d
    require(~np.isnan(flat(wanted)), "quantity", "must be a number", flat(wanted))
    require(flat(np.isfinite(least)), "moq", "must be a finite number", flat(least))
    require(flat(np.isfinite(step) & (step > 0)), "multiple", "must be a number above 0", flat(step))
    require(flat(~np.isnan(most)), "max_quantity", "must be a number (inf = no limit)", flat(most))
    return np.asarray(lots_ufunc(wanted, least, step, most))
