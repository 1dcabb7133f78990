(function () {
  "use strict";
  var table = document.getElementById("lines");
  if (!table) return;
  var heads = table.querySelectorAll("thead th");

  function lines(body) {
    return Array.prototype.filter.call(body.rows, function (row) { return !row.classList.contains("supplier"); });
  }

  function key(row, column) {
    var cell = row.cells[column];
    var raw = cell.getAttribute("data-sort");
    if (raw === null) return cell.textContent.trim().toLowerCase();
    if (raw === "") return null;
    return isNaN(Number(raw)) ? raw : Number(raw);
  }

  function sort(column) {
    var head = heads[column];
    var up = head.getAttribute("aria-sort") === "descending";
    heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    Array.prototype.forEach.call(table.tBodies, function (body) {
      lines(body).sort(function (a, b) {
        var x = key(a, column), y = key(b, column);
        if (x === null || y === null) return x === y ? 0 : x === null ? 1 : -1;
        return (x < y ? -1 : x > y ? 1 : 0) * (up ? 1 : -1);
      }).forEach(function (row) { body.appendChild(row); });
    });
  }

  heads.forEach(function (head, column) {
    var button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", function () { sort(column); });
    head.replaceChildren(button);
  });

  var filter = document.getElementById("filter");
  filter.closest("p").hidden = false;
  filter.addEventListener("input", function () {
    var wanted = filter.value.trim().toLowerCase();
    Array.prototype.forEach.call(table.tBodies, function (body) {
      var supplier = body.rows[0].textContent.toLowerCase().indexOf(wanted) >= 0;
      var shown = 0;
      lines(body).forEach(function (row) {
        row.hidden = !supplier && row.textContent.toLowerCase().indexOf(wanted) < 0;
        shown += row.hidden ? 0 : 1;
      });
      body.hidden = shown === 0;
    });
  });
})();
