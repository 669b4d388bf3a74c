import { Model } from 'objection';

export class Customer extends Model {
  static override tableName = 'customer';
  static override jsonSchema = {
    type: 'object',
    required: ['email'],
    properties: { email: { type: 'string', minLength: 3, maxLength: 200 } },
  };
  declare id: number;
  declare email: string;
}

export class Product extends Model {
  static override tableName = 'product';
  declare id: number;
  declare name: string;
  /** In cents. */
  declare price: number;
  declare stock: number;
}

export class OrderLine extends Model {
  static override tableName = 'purchase_line';
  static override jsonSchema = {
    type: 'object',
    required: ['productId', 'quantity'],
    properties: { productId: { type: 'integer' }, quantity: { type: 'integer', minimum: 1 } },
  };
  static override relationMappings = {
    product: {
      relation: Model.BelongsToOneRelation,
      modelClass: Product,
      join: { from: 'purchase_line.productId', to: 'product.id' },
    },
  };
  declare productId: number;
  declare quantity: number;
  declare price: number;
  declare product?: Product;
}

/** `ORDER` is a word of SQL: the table is called `purchase`. */
export class Order extends Model {
  static override tableName = 'purchase';
  static override jsonSchema = {
    type: 'object',
    required: ['status'],
    properties: {
      status: { enum: ['new', 'paid', 'sent'] },
    },
  };
  static override relationMappings = {
    customer: {
      relation: Model.BelongsToOneRelation,
      modelClass: Customer,
      join: { from: 'purchase.customerId', to: 'customer.id' },
    },
    lines: {
      relation: Model.HasManyRelation,
      modelClass: OrderLine,
      join: { from: 'purchase.id', to: 'purchase_line.purchaseId' },
    },
  };
  declare id: number;
  declare customerId: number;
  declare status: 'new' | 'paid' | 'sent';
  declare customer?: Customer;
  declare lines?: OrderLine[];
}
