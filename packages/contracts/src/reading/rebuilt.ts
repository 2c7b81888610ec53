import { z } from 'zod'

/**
 * A schema with some schemas inside it put in place of others. A schema that nothing is replaced in is given back itself.
 * @param replace the other schema, or undefined to look further inside
 */
export function rebuilt(schema: z.ZodType, replace: (schema: z.ZodType) => z.ZodType | undefined): z.ZodType {
  const other = replace(schema)
  if (other !== undefined) return other
  const inside = (inner: z.core.$ZodType) => rebuilt(inner as z.ZodType, replace)
  if (schema instanceof z.ZodObject) {
    const shape = Object.fromEntries(Object.entries(schema.def.shape).map(([name, field]) => [name, inside(field)]))
    const same = Object.entries(schema.def.shape).every(([name, field]) => shape[name] === field)
    return same ? schema : schema.clone({ ...schema.def, shape })
  }
  if (schema instanceof z.ZodArray) {
    const element = inside(schema.def.element)
    return element === schema.def.element ? schema : schema.clone({ ...schema.def, element })
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    const innerType = inside(schema.def.innerType)
    if (innerType === schema.def.innerType) return schema
    return schema instanceof z.ZodOptional ? innerType.optional() : innerType.nullable()
  }
  if (schema instanceof z.ZodPipe) {
    const out = inside(schema.def.out)
    if (out === schema.def.out) return schema
    return schema.clone(Object.assign({ ...schema.def }, { out }))
  }
  return schema
}
