"""A page that shows ``/openapi.json`` to people: one file, nothing fetched from elsewhere."""

from typing import Final

DOCS_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>kavach API</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem;
         color: #1b1f24; background: #fff }
  h1 { margin-bottom: 0 }
  summary { cursor: pointer; padding: .4rem 0 }
  code, pre { font: 14px/1.4 ui-monospace, monospace }
  pre { white-space: pre-wrap; background: #f3f4f6; padding: .6rem; border-radius: 4px }
  table { border-collapse: collapse; width: 100% }
  td, th { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0;
           border-bottom: 1px solid #e4e6ea }
  .method { display: inline-block; width: 5rem; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    body { color: #e4e6ea; background: #16181c }
    pre { background: #22252b }
    td, th { border-color: #33373f }
  }
</style>
<h1>kavach</h1>
<p id="about">Reading <a href="/openapi.json">/openapi.json</a> …</p>
<main></main>
<script>
const make = (tag, text, ...children) => {
  const node = document.createElement(tag)
  if (text) node.textContent = text
  node.append(...children)
  return node
}
const kind = schema => {
  if (schema.$ref) return schema.$ref.split("/").pop()
  if (schema.enum) return schema.enum.join(" | ")
  if (schema.anyOf) return schema.anyOf.map(kind).join(" | ")
  if (schema.items) return "list of " + kind(schema.items)
  return [].concat(schema.type || "anything").join(" | ")
}
const table = (heads, rows) => {
  const head = make("tr", "", ...heads.map(text => make("th", text)))
  const body = rows.map(cells => make("tr", "", ...cells.map(text => make("td", text))))
  return make("table", "", head, ...body)
}
const shape = schema => table(["key", "type", "meaning"],
  Object.entries(schema.properties || {}).map(([name, field]) =>
    [name + ((schema.required || []).includes(name) ? " *" : ""), kind(field),
     field.description || ""]))
const operation = (method, path, item, all) => {
  const title = make("summary", "", make("span", method.toUpperCase()), make("code", path))
  title.firstChild.className = "method"
  const node = make("details", "", title, make("p", item.summary))
  if (item.parameters.length) node.append(make("h4", "Parameters"),
    table(["name", "in", "type", "meaning"], item.parameters.map(p =>
      [p.name + (p.required ? " *" : ""), p.in, kind(p.schema), p.description || ""])))
  if (item.requestBody) {
    const name = kind(item.requestBody.content["application/json"].schema)
    node.append(make("h4", "Request: " + name), shape(all.components.schemas[name]))
  }
  const answer = kind(item.responses["200"].content["application/json"].schema)
  node.append(make("h4", "Answer: " + answer))
  return node
}
fetch("/openapi.json").then(reply => reply.json()).then(all => {
  document.getElementById("about").textContent = all.info.description + " " + all.info.version
  const main = document.querySelector("main")
  main.append(make("h2", "Routes"))
  for (const [path, methods] of Object.entries(all.paths))
    for (const [method, item] of Object.entries(methods))
      main.append(operation(method, path, item, all))
  main.append(make("h2", "Errors"))
  for (const [status, item] of Object.entries(all.components.responses))
    main.append(make("details", "", make("summary", status), make("pre", item.description)))
  main.append(make("h2", "Shapes"))
  for (const [name, schema] of Object.entries(all.components.schemas))
    main.append(make("details", "", make("summary", name), make("p", schema.description || ""),
      shape(schema)))
})
</script>
</html>
"""
